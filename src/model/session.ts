import { z } from 'zod'

/** What kind of document session.json is, and the major version that this program reads. */
export const sessionKind = 'MeshtriageSession'
export const sessionSchemaVersion = '1.0'

const RecordedExit = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exited'), code: z.number().int() }),
  z.object({ kind: z.enum(['tool-missing', 'timed-out', 'canceled', 'too-big', 'not-recorded', 'refused']) }),
])

/** One command that was run. Its output is beside it, as it was printed, secrets removed. */
export const SessionCommand = z.object({
  n: z.number().int().positive(),
  file: z.enum(['kubectl', 'istioctl', 'curl']),
  /** Without what live.ts adds for the person's own cluster (`--context` and the like). */
  args: z.array(z.string()),
  exit: RecordedExit,
  startedAt: z.string().optional(),
  durationMs: z.number().nonnegative(),
  /** Files below the session folder. Absent: nothing was printed. */
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  /** stdout was larger than memory should hold; the file holds all of it. */
  isSpooled: z.boolean().optional(),
})
export type SessionCommand = z.infer<typeof SessionCommand>

/** session.json: what was asked, of whom, and which commands answered. Unknown fields are kept. */
export const Session = z.looseObject({
  kind: z.literal(sessionKind),
  schemaVersion: z.string(),
  id: z.string(),
  tool: z.object({ name: z.string(), version: z.string() }),
  startedAt: z.string(),
  /** Absent while the walk runs, and for ever where it was killed. */
  finishedAt: z.string().optional(),
  symptom: z.string().optional(),
  /** The runbook's id, or the name of the person's own file. */
  runbook: z.string().optional(),
  /** Name of the file in this folder that holds the person's own runbook. Absent: a built-in one. */
  runbookFile: z.string().optional(),
  /** The call as the walk was given it. Its schema is the engine's, and may grow. */
  call: z.unknown().optional(),
  context: z.string().optional(),
  toolVersions: z.record(z.string(), z.string()).optional(),
  /** Question id → answer, in the words of the runbook. */
  answers: z.record(z.string(), z.string()).optional(),
  /** What the person wrote into the note while the walk went on. */
  notes: z.array(z.object({ at: z.string(), text: z.string() })).optional(),
  redaction: z.object({
    applied: z.boolean(),
    counts: z.record(z.string(), z.number().int().nonnegative()),
  }),
  commands: z.array(SessionCommand),
  /** What a test expects of a replay. */
  expect: z.unknown().optional(),
})
export type Session = z.infer<typeof Session>
