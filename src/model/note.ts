import { z } from 'zod'
import { AnsweredByHop, Certainty } from './answered-by.ts'
import { Layer } from './layer.ts'

/** Within a major version fields are only added: readers of 1.0 read every 1.x. */
export const noteSchemaVersion = '1.0'
export const noteSchemaId = 'urn:meshtriage:schema:incident-note:1.0'

// A pattern rather than a format: validators that know no formats refuse schemas that use one.
const UtcTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/)
const EvidenceIds = z.array(z.string()).describe('ids of entries in `evidence`')

const Fix = z.looseObject({
  statement: z.string(),
  commands: z.array(z.string()).describe('shown, never run by meshtriage'),
  scope: z.string().describe('who or what the change touches'),
  risk: z.string(),
  undo: z.string(),
})

const NoteCause = z.looseObject({
  code: z.string(),
  layer: Layer,
  title: z.string(),
  statement: z.string(),
  certainty: Certainty,
  subject: z.string().optional().describe('the object or workload it is about'),
  severity: z.enum(['error', 'warning', 'info']).optional(),
  bites: z
    .enum(['now', 'next'])
    .optional()
    .describe('now: it explains what was seen; next: it would stop the call once what bites now is gone'),
  supporting: EvidenceIds,
  contradicting: EvidenceIds,
  wouldDecide: z
    .looseObject({ command: z.string(), why: z.string() })
    .nullable()
    .describe('the one command whose result separates this candidate from the others'),
  fix: Fix,
  verify: z.looseObject({ command: z.string(), expect: z.string() }),
  seeAlso: z.array(z.string()),
})
export type NoteCause = z.infer<typeof NoteCause>

const OtherFinding = z.looseObject({
  code: z.string(),
  layer: Layer,
  title: z.string(),
  statement: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  subject: z.string().optional(),
  evidence: EvidenceIds,
})
export type OtherFinding = z.infer<typeof OtherFinding>

const NoteEvidence = z.looseObject({
  id: z.string(),
  statement: z.string(),
  source: z.looseObject({
    command: z.string().describe('the command that printed it, ready to paste'),
    tool: z.string(),
    version: z.string().nullable(),
    line: z.number().int().positive().optional(),
    excerpt: z.string().nullable().describe('the deciding words as they were printed'),
  }),
  subject: z.string(),
  at: UtcTime,
  status: z.enum(['ok', 'missing']),
  reason: z.string().optional().describe('why it is missing'),
})
export type NoteEvidence = z.infer<typeof NoteEvidence>

const NoteHop = z.looseObject({
  role: z.string(),
  workload: z.string().nullable(),
  pod: z.string().nullable(),
  proxy: z.string().nullable(),
  label: z.string().optional(),
  state: z.enum(['unknown', 'ok', 'broken', 'blind']).optional(),
  remark: z.string().nullable().optional(),
})
export type NoteHop = z.infer<typeof NoteHop>

const NoteStep = z.looseObject({
  n: z.number().int().positive(),
  layer: Layer,
  title: z.string(),
  commands: z.array(z.string()),
  status: z.enum(['ok', 'problem', 'blind', 'skipped']),
  evidence: EvidenceIds,
  learned: z.string(),
  next: z.looseObject({ layer: Layer, because: z.string(), command: z.string().nullable() }).nullable(),
})
export type NoteStep = z.infer<typeof NoteStep>

const NextStep = z.looseObject({
  command: z.string().nullable(),
  statement: z.string().nullable(),
  because: z.string(),
  effect: z.enum(['reads', 'sends-traffic', 'changes']),
})

/** The result of a walk as one document. Everything that shows a result is a rendering of this. */
export const IncidentNote = z.looseObject({
  $schema: z.string().optional(),
  kind: z.literal('IncidentNote'),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  id: z.string(),
  mode: z.enum(['live', 'replay', 'offline']),
  startedAt: UtcTime,
  finishedAt: UtcTime.nullable().describe('null in a note that was saved while the walk went on'),
  durationMs: z.number().nonnegative(),
  tool: z.looseObject({ name: z.string(), version: z.string() }),
  cluster: z.looseObject({
    context: z.string().nullable(),
    kubernetesVersion: z.string().nullable(),
    istio: z.looseObject({
      client: z.string().nullable(),
      controlPlane: z.array(z.string()),
      dataPlane: z.array(z.string()),
    }),
    dataPlaneMode: z.enum(['sidecar', 'ambient', 'mixed', 'unknown']),
  }),
  symptom: z.looseObject({
    id: z.string(),
    title: z.string(),
    given: z.record(z.string(), z.unknown()).describe('what the person said'),
    observed: z.array(z.looseObject({ statement: z.string(), evidence: EvidenceIds })),
  }),
  call: z.looseObject({
    from: z.string().nullable(),
    to: z.string().nullable(),
    host: z.string().nullable(),
    port: z.number().int().nullable(),
    method: z.string().nullable(),
    path: z.string().nullable(),
    protocol: z.string().nullable(),
    hops: z.array(NoteHop),
  }),
  answeredBy: z
    .looseObject({ hop: AnsweredByHop, certainty: Certainty, because: z.string(), evidence: EvidenceIds })
    .describe('who produced the response or the reset'),
  verdict: z.enum(['cause', 'suspects', 'clean', 'inconclusive']),
  summary: z.string().describe('one sentence a tired person understands'),
  causes: z.array(NoteCause).describe('in the order in which they bite; candidates where the verdict is suspects'),
  ruledOut: z.array(z.looseObject({ code: z.string(), layer: Layer, because: z.string(), evidence: EvidenceIds })),
  notChecked: z.array(z.looseObject({ what: z.string(), layer: Layer, reason: z.string(), unlock: z.string() })),
  otherFindings: z.array(OtherFinding).default([]).describe('true, but not what explains the symptom'),
  steps: z.array(NoteStep),
  evidence: z.array(NoteEvidence),
  nextSteps: z.array(NextStep),
  timeline: z.array(z.looseObject({ at: UtcTime, statement: z.string() })),
  followUps: z.array(z.looseObject({ statement: z.string(), owner: z.string().nullable().optional() })),
  redaction: z.looseObject({
    applied: z.boolean(),
    rules: z.array(z.string()),
    counts: z.record(z.string(), z.number().int().nonnegative()),
  }),
  session: z.looseObject({ folder: z.string() }).nullable().default(null).describe('where the raw outputs are'),
})
export type Note = z.infer<typeof IncidentNote>

/** The same note with the schema's key order, so that equal notes are equal text. Unknown keys come last, sorted. */
export function orderNote(note: Note): Note {
  return ordered(IncidentNote, note) as Note // only the order of keys changes
}

function ordered(schema: unknown, value: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return ordered(schema.def.innerType, value)
  if (Array.isArray(value))
    return value.map((entry) => ordered(schema instanceof z.ZodArray ? schema.element : undefined, entry))
  if (typeof value !== 'object' || value === null) return value
  const shape: Readonly<Record<string, unknown>> = schema instanceof z.ZodObject ? schema.shape : {}
  const known = Object.keys(shape).filter((key) => key in value)
  const others = Object.keys(value).filter((key) => !(key in shape))
  const entries = value as Readonly<Record<string, unknown>> // an object, as was just checked
  return Object.fromEntries([...known, ...others.sort()].map((key) => [key, ordered(shape[key], entries[key])]))
}
