import type { KubeObject } from '../../model/kube.ts'

export const suppressAnnotation = 'meshtriage.io/suppress'

export interface Suppression {
  readonly code: string
  readonly reason: string
  /** `2026-12-31`; null: for good. */
  readonly until: string | null
}

/** `CODE=reason[;until=YYYY-MM-DD]`, one a line. An entry without a reason is none: somebody has to say why. */
export function suppressionsOf({ metadata }: KubeObject): readonly Suppression[] {
  const text = metadata.annotations?.[suppressAnnotation] ?? ''
  return text.split('\n').flatMap((line) => {
    const equals = line.indexOf('=')
    if (equals <= 0) return []
    const code = line.slice(0, equals).trim()
    const [, reason = '', until = null] =
      /^(.*?)(?:;\s*until=(\d{4}-\d{2}-\d{2}))?\s*$/.exec(line.slice(equals + 1).trim()) ?? []
    return reason.trim() === '' ? [] : [{ code, reason: reason.trim(), until }]
  })
}

/** The reason that holds today, and whether one has run out. The last day counts. */
export function suppressedBy(
  object: KubeObject,
  code: string,
  today: string,
): { readonly reason: string | null; readonly endedAt: string | null } {
  const own = suppressionsOf(object).filter((one) => one.code === code)
  const valid = own.find(({ until }) => until === null || until >= today)
  if (valid) return { reason: valid.reason, endedAt: null }
  return { reason: null, endedAt: own[0]?.until ?? null }
}
