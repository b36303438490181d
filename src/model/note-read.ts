import { UserError } from './errors.ts'
import { IncidentNote, type Note, noteSchemaVersion } from './note.ts'

/** A note that somebody hands us: a file, another version's output. */
export function readNote(text: string, name = 'the note'): Note {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UserError(
      `${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      'Notes are written by: meshtriage diagnose … -o json',
      'input',
    )
  }
  const parsed = IncidentNote.safeParse(value)
  if (parsed.success) return parsed.data
  const version =
    typeof value === 'object' && value !== null && 'schemaVersion' in value ? value.schemaVersion : undefined
  if (typeof version === 'string' && !version.startsWith('1.'))
    throw new UserError(
      `${name} has schema version ${version}; this program reads 1.x`,
      `Read it with the meshtriage that wrote it, or one that knows ${version}`,
      'input',
    )
  const [issue] = parsed.error.issues
  const place = issue && issue.path.length > 0 ? issue.path.join('.') : 'the top'
  throw new UserError(
    `${name} is no incident note: at ${place}: ${issue?.message ?? 'unknown trouble'}`,
    `Compare it with the schema ${noteSchemaVersion}: meshtriage note schema`,
    'input',
  )
}

/** What in a note breaks its own rules of honesty. Empty for every note we write; tests and `note show` ask. */
export function noteProblems(note: Note): readonly string[] {
  const ids = new Set(note.evidence.map(({ id }) => id))
  const problems: string[] = []
  if (ids.size < note.evidence.length) problems.push('two pieces of evidence share an id')
  const claim = (what: string, evidence: readonly string[], needed: boolean) => {
    if (needed && evidence.length === 0) problems.push(`${what} points at no evidence`)
    for (const id of evidence) if (!ids.has(id)) problems.push(`${what} points at ${id}, which does not exist`)
  }
  for (const cause of note.causes) {
    claim(`cause ${cause.code}`, cause.supporting, true)
    claim(`cause ${cause.code}`, cause.contradicting, false)
    const known = note.evidence.filter(({ id, status }) => status === 'ok' && cause.supporting.includes(id))
    if (cause.certainty === 'proven' && known.length === 0)
      problems.push(`cause ${cause.code} is called proven by evidence that is missing`)
  }
  for (const entry of note.ruledOut) claim(`ruled out ${entry.code}`, entry.evidence, true)
  for (const entry of note.otherFindings) claim(`finding ${entry.code}`, entry.evidence, true)
  for (const step of note.steps) claim(`step ${step.n}`, step.evidence, false)
  for (const entry of note.symptom.observed) claim('what was observed', entry.evidence, false)
  claim('who answered', note.answeredBy.evidence, note.answeredBy.certainty === 'proven')
  if (note.verdict === 'cause' && note.causes.length === 0) problems.push('the verdict is cause, and none is named')
  if (note.verdict === 'suspects' && note.causes.length === 0)
    problems.push('the verdict is suspects, and none is named')
  if (note.verdict === 'inconclusive' && note.notChecked.length === 0)
    problems.push('the verdict is inconclusive, and nothing is listed as not checked')
  return problems
}
