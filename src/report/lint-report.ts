import type { NotRead } from './not-read.ts'

export type Severity = 'error' | 'warning' | 'info'

export interface LintEntry {
  readonly code: string
  readonly severity: Severity
  /** Who says so: istioctl analyze, or a rule of ours. */
  readonly source: 'analyze' | 'meshtriage'
  readonly object: { readonly kind: string; readonly namespace: string | null; readonly name: string | null } | null
  readonly message: string
  readonly why: string | null
  readonly fix: string | null
  /** `file:line`, for objects from files. */
  readonly reference: string | null
  readonly documentationUrl: string | null
}

/** From a settings file, or from an annotation of the object itself. */
export interface Suppression {
  readonly code: string
  /** `Kind ns/name`, `ns/name` or a part of it with `*`; `null`: every object. */
  readonly object: string | null
  readonly reason: string | null
  /** The last day on which it holds, `2026-12-31`. */
  readonly until: string | null
  readonly from: string
}

export interface LintReport {
  readonly kind: 'LintReport'
  readonly schemaVersion: '1.0'
  readonly scope: string
  readonly summary: string
  readonly counts: Readonly<Record<Severity, number>>
  readonly failOn: Severity
  readonly findings: readonly LintEntry[]
  readonly suppressed: readonly { readonly finding: LintEntry; readonly reason: string; readonly from: string }[]
  /** Suppressions that do not hold: expired, without a reason, not understood. */
  readonly suppressionProblems: readonly string[]
  readonly skipped: readonly string[]
  readonly notRead: readonly NotRead[]
}

const rank: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 }

export function isAtLeast(severity: Severity, threshold: Severity): boolean {
  return rank[severity] <= rank[threshold]
}

/** Levels of a later istioctl count as warnings: too loud is better than unseen. */
export function severityOf(level: string): Severity {
  const word = level.toLowerCase()
  return word === 'error' || word === 'info' ? word : 'warning'
}

export interface LintInput {
  readonly scope: string
  readonly entries: readonly LintEntry[]
  readonly suppressions: readonly Suppression[]
  /** Today, `2026-01-31`. */
  readonly today: string
  readonly level: Severity
  readonly failOn: Severity
  readonly skipped: readonly string[]
  readonly notRead: readonly NotRead[]
}

export function lintReport(input: LintInput): LintReport & { readonly fails: boolean } {
  const problems = input.suppressions.flatMap((one) => problemOf(one, input.today))
  const inForce = input.suppressions.filter((one) => problemOf(one, input.today).length === 0)
  const sorted = unique(input.entries).sort(byImportance)
  const suppressed = sorted.flatMap((finding) => {
    const by = inForce.find((one) => covers(one, finding))
    return by ? [{ finding, reason: by.reason ?? '', from: by.from }] : []
  })
  const quiet = new Set(suppressed.map(({ finding }) => finding))
  const open = sorted.filter((finding) => !quiet.has(finding))
  const counts = { error: 0, warning: 0, info: 0 }
  for (const { severity } of open) counts[severity] += 1
  return {
    kind: 'LintReport',
    schemaVersion: '1.0',
    scope: input.scope,
    summary: summaryOf(input, counts, suppressed.length),
    counts,
    failOn: input.failOn,
    findings: open.filter(({ severity }) => isAtLeast(severity, input.level)),
    suppressed,
    suppressionProblems: problems,
    skipped: input.skipped,
    notRead: input.notRead,
    fails: open.some(({ severity }) => isAtLeast(severity, input.failOn)),
  }
}

function summaryOf({ scope, notRead }: LintInput, counts: Readonly<Record<Severity, number>>, quiet: number): string {
  const said = [
    ...(counts.error > 0 ? [`${counts.error} ${counts.error === 1 ? 'error' : 'errors'}`] : []),
    ...(counts.warning > 0 ? [`${counts.warning} ${counts.warning === 1 ? 'warning' : 'warnings'}`] : []),
    ...(counts.info > 0 ? [`${counts.info} ${counts.info === 1 ? 'note' : 'notes'}`] : []),
  ]
  const blind = notRead.length > 0 ? ', and not everything could be looked at' : ''
  const hidden = quiet > 0 ? `; ${quiet} suppressed` : ''
  return `${said.join(', ') || 'nothing found'} in ${scope}${hidden}${blind}`
}

function byImportance(a: LintEntry, b: LintEntry): number {
  return (
    rank[a.severity] - rank[b.severity] ||
    compare(objectText(a.object), objectText(b.object)) ||
    compare(a.code, b.code) ||
    compare(a.message, b.message)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** analyze repeats a message for every analyzer and cluster that meets it. */
function unique(entries: readonly LintEntry[]): LintEntry[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const key = `${entry.code} ${objectText(entry.object)} ${entry.message} ${entry.reference}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

export function objectText(object: LintEntry['object']): string {
  if (object === null) return ''
  const name = [object.namespace, object.name].filter((part) => part !== null).join('/')
  return name === '' ? object.kind : `${object.kind} ${name}`
}

function problemOf({ code, reason, until, from }: Suppression, today: string): readonly string[] {
  if (reason === null || reason.trim() === '')
    return [`${from}: the suppression of ${code} has no reason, so it does not hold`]
  if (until === null) return []
  if (!/^\d{4}-\d\d-\d\d$/.test(until))
    return [`${from}: until ${until} is no date (2026-12-31), so the suppression of ${code} does not hold`]
  return until < today ? [`${from}: the suppression of ${code} ended on ${until} (${reason})`] : []
}

function covers({ code, object }: Suppression, finding: LintEntry): boolean {
  if (!matches(code, finding.code)) return false
  if (object === null) return true
  const full = objectText(finding.object)
  // `ns/name` means every kind.
  return matches(object, full) || matches(object, full.slice(full.indexOf(' ') + 1))
}

/** `*` stands for any text. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return pattern === text
  const [first = '', ...rest] = parts
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const [index, part] of rest.entries()) {
    if (index === rest.length - 1) return part === '' || (text.length - at >= part.length && text.endsWith(part))
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}
