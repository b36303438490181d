import { z } from 'zod'

/** `unknown`: the proxy's istiod or istioctl did not say. That is never the same as SYNCED. */
export const SyncState = z.enum(['SYNCED', 'STALE', 'NOT SENT', 'ERROR', 'IGNORED', 'unknown'])
export type SyncState = z.infer<typeof SyncState>

export const TypeSync = z.object({
  state: SyncState,
  /** As printed: `2m3s`, `5d12h`. Tables only. */
  age: z.string().optional(),
  ageSeconds: z.number().optional(),
  /** JSON only. */
  lastUpdated: z.string().optional(),
  /** What stood beside the state: `Never Acknowledged`, or why the proxy rejected the push. */
  detail: z.string().optional(),
  raw: z.string(),
})
export type TypeSync = z.infer<typeof TypeSync>

export const ProxySync = z.object({
  /** `name.namespace`, as istiod knows the proxy. */
  proxy: z.string(),
  name: z.string(),
  namespace: z.string().nullable(),
  cluster: z.string().nullable(),
  istiod: z.string().nullable(),
  /** The proxy's Istio version, not istiod's. */
  version: z.string().nullable(),
  /** Known from `x internal-debug syncz` only. */
  proxyType: z.string().nullable(),
  /** By short name (CDS, LDS, …). Empty where no states were shown. */
  types: z.record(z.string(), TypeSync),
  /** What the proxy asked istiod for, where that was shown. */
  subscribedTypes: z.array(z.string()).nullable(),
  /** False: the output says who is connected and nothing about who is in sync. */
  statesShown: z.boolean(),
  /** Columns or fields of a newer tool. */
  extra: z.record(z.string(), z.unknown()),
})
export type ProxySync = z.infer<typeof ProxySync>

export const ProxyStatus = z.object({
  statesShown: z.boolean(),
  proxies: z.array(ProxySync),
  logLines: z.array(z.string()),
})
export type ProxyStatus = z.infer<typeof ProxyStatus>

/** `SYNCED (2m3s)`, `STALE (Never Acknowledged)`, `NOT_SENT`, or nothing at all. */
export function readStateCell(raw: string): TypeSync {
  const opening = raw.endsWith(')') ? raw.indexOf(' (') : -1
  if (opening < 0) return { state: stateOf(raw), raw }
  const state = stateOf(raw.slice(0, opening))
  const beside = raw.slice(opening + 2, -1)
  const ageSeconds = secondsOfAge(beside)
  if (ageSeconds !== null) return { state, age: beside, ageSeconds, raw }
  return beside === '<invalid>' ? { state, age: beside, raw } : { state, detail: beside, raw }
}

export function stateOf(word: string): SyncState {
  const parsed = SyncState.safeParse(word.replaceAll('_', ' '))
  return parsed.success ? parsed.data : 'unknown'
}

const secondsPer: Readonly<Record<string, number>> = { y: 31_536_000, d: 86_400, h: 3600, m: 60, s: 1 }

/** Kubernetes' human durations: `45s`, `2m3s`, `5d12h`, `2y100d`. */
function secondsOfAge(age: string): number | null {
  if (!/^(?:\d{1,9}[ydhms]){1,5}$/.test(age)) return null
  let seconds = 0
  for (const [, count, unit] of age.matchAll(/(\d+)([ydhms])/g)) seconds += Number(count) * secondsPer[unit!]!
  return seconds
}
