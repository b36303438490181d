import type { Layer } from '../model/layer.ts'
import type { Note } from '../model/note.ts'
import { forLine } from './escape.ts'
import { hopWords, verdictWords } from './words.ts'

export interface ComparedFinding {
  readonly code: string
  readonly layer: Layer
  readonly title: string
  readonly subject: string | null
  /** It was, or is, named as what explains the symptom. */
  readonly isCause: boolean
}

export interface Comparison {
  readonly before: { readonly id: string; readonly verdict: Note['verdict'] }
  readonly after: { readonly id: string; readonly verdict: Note['verdict'] }
  readonly introduced: readonly ComparedFinding[]
  /** Gone, and the later walk looked at its layer. */
  readonly fixed: readonly ComparedFinding[]
  readonly unchanged: readonly ComparedFinding[]
  /** Not seen again, but the later walk could not look: neither fixed nor unchanged. */
  readonly notLookedAt: readonly ComparedFinding[]
  readonly answeredBy: { readonly before: Note['answeredBy']['hop']; readonly after: Note['answeredBy']['hop'] }
  /** Both notes are about the same call, as far as they say. */
  readonly sameCall: boolean
}

/** Two notes of one incident, or of one call before and after a change. */
export function compareNotes(before: Note, after: Note): Comparison {
  const old = findingsOf(before)
  const remaining = findingsOf(after)
  const unchanged: ComparedFinding[] = []
  const gone: ComparedFinding[] = []
  // Exact matches first, or a second finding with the same code could take the place of the one that stayed.
  const unmatched = old.filter((finding) => !takeMatch(remaining, finding, sameFinding, unchanged))
  for (const finding of unmatched) if (!takeMatch(remaining, finding, samePlace, unchanged)) gone.push(finding)
  return {
    before: { id: before.id, verdict: before.verdict },
    after: { id: after.id, verdict: after.verdict },
    introduced: remaining,
    fixed: gone.filter((finding) => wasLookedAt(after, finding)),
    unchanged,
    notLookedAt: gone.filter((finding) => !wasLookedAt(after, finding)),
    answeredBy: { before: before.answeredBy.hop, after: after.answeredBy.hop },
    sameCall: before.call.from === after.call.from && before.call.to === after.call.to,
  }
}

function findingsOf(note: Note): ComparedFinding[] {
  return [
    ...note.causes.map((cause) => ({ ...cause, isCause: true })),
    ...note.otherFindings.map((finding) => ({ ...finding, isCause: false })),
  ].map(({ code, layer, title, subject, isCause }) => ({ code, layer, title, subject: subject ?? null, isCause }))
}

function takeMatch(
  candidates: ComparedFinding[],
  finding: ComparedFinding,
  same: (a: ComparedFinding, b: ComparedFinding) => boolean,
  into: ComparedFinding[],
): boolean {
  const at = candidates.findIndex((candidate) => same(candidate, finding))
  if (at < 0) return false
  into.push(...candidates.splice(at, 1))
  return true
}

function sameFinding(a: ComparedFinding, b: ComparedFinding): boolean {
  return a.code === b.code && a.layer === b.layer && placeOf(a) === placeOf(b)
}

/** A replaced pod has a new name; `web-8c495b54b-q859f` and its successor are one place. */
function placeOf({ subject, title }: ComparedFinding): string {
  return (subject ?? title).replace(/-[a-z0-9]{6,10}-[a-z0-9]{5}\b/g, '')
}

// Titles may name more that changes. Where both have a subject it must be the same.
function samePlace(a: ComparedFinding, b: ComparedFinding): boolean {
  return a.code === b.code && a.layer === b.layer && (a.subject === null || b.subject === null)
}

function wasLookedAt(note: Note, { code, layer }: ComparedFinding): boolean {
  if (note.ruledOut.some((entry) => entry.code === code)) return true
  if (note.notChecked.some((entry) => entry.layer === layer)) return false
  // A walk that stopped early, or found another cause first, did not necessarily get to this layer.
  return (
    note.verdict === 'clean' ||
    note.steps.some((step) => step.layer === layer && (step.status === 'ok' || step.status === 'problem'))
  )
}

export function comparisonText(comparison: Comparison): string {
  const { before, after, answeredBy } = comparison
  const lines = [
    `before: ${verdictWords[before.verdict]} (note ${forLine(before.id)})`,
    `after:  ${verdictWords[after.verdict]} (note ${forLine(after.id)})`,
    ...(comparison.sameCall ? [] : ['! the notes are about different calls']),
    ...(answeredBy.before === answeredBy.after
      ? []
      : [`answered by: ${hopWords[answeredBy.before]}, now ${hopWords[answeredBy.after]}`]),
    ...group('Introduced', '+', comparison.introduced),
    ...group('Fixed', '✓', comparison.fixed),
    ...group('Unchanged', '=', comparison.unchanged),
    ...group('Not looked at this time, so perhaps still there', '?', comparison.notLookedAt),
  ]
  return `${lines.join('\n')}\n`
}

function group(title: string, mark: string, findings: readonly ComparedFinding[]): readonly string[] {
  if (findings.length === 0) return ['', `${title}: none`]
  return [
    '',
    `${title}:`,
    ...findings.map(
      (finding) =>
        `  ${mark} ${forLine(finding.code)}: ${forLine(finding.title)}${finding.isCause ? '' : ' (not a cause)'}`,
    ),
  ]
}
