import { z } from 'zod'

/** What the callers see. The catalogue of symptoms is the folder of runbooks; these are the names it may use. */
export const SymptomId = z.enum([
  '400',
  '401',
  '403',
  '404',
  '413',
  '426',
  '429',
  '431',
  '500',
  '502',
  '503',
  '504',
  'reset',
  'tls',
  'timeout',
  'slow',
  'not-applied',
  'not-injected',
  'unknown',
])
export type SymptomId = z.infer<typeof SymptomId>

/** `[deploy|pod|svc|sa|…/]NAME[.NAMESPACE][:PORT]`, or an address, or a host name outside the mesh. */
export const Target = z.object({
  kind: z.string().nullable(),
  name: z.string(),
  namespace: z.string().nullable(),
  port: z.number().nullable(),
  /** As the person typed it. */
  text: z.string(),
})
export type Target = z.infer<typeof Target>

/** Everything the person gave us before the first command. Nothing in here was looked up. */
export const Given = z.object({
  symptom: SymptomId,
  from: Target.nullable(),
  to: Target.nullable(),
  host: z.string().nullable(),
  method: z.string().nullable(),
  path: z.string().nullable(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** Claims of the caller's token; the token itself never gets here. `null`: not said. */
  jwtClaims: z.record(z.string(), z.unknown()).nullable(),
  /** Access-log, ztunnel or other lines that were pasted or piped in. */
  logText: z.string().nullable(),
  /** What `curl -v` printed at the caller. */
  curlText: z.string().nullable(),
  namespace: z.string().nullable(),
  istioNamespace: z.string(),
  revision: z.string().nullable(),
  since: z.string().nullable(),
  /** Nothing that execs into a pod or forwards a port. */
  noExec: z.boolean(),
})
export type Given = z.infer<typeof Given>

export function emptyGiven(symptom: SymptomId): Given {
  return {
    symptom,
    from: null,
    to: null,
    host: null,
    method: null,
    path: null,
    headers: [],
    jwtClaims: null,
    logText: null,
    curlText: null,
    namespace: null,
    istioNamespace: 'istio-system',
    revision: null,
    since: null,
    noExec: false,
  }
}

export type HopRole =
  | 'client'
  | 'client-proxy'
  | 'ztunnel-client'
  | 'gateway'
  | 'egress-gateway'
  | 'waypoint'
  | 'ztunnel-server'
  | 'server-proxy'
  | 'app'
  | 'external'

/** One place on the call's way. `state` is what the walk learned of it so far; views draw it. */
export interface Hop {
  readonly role: HopRole
  readonly label: string
  readonly workload: string | null
  readonly pod: string | null
  readonly proxy: string | null
  readonly state: 'unknown' | 'ok' | 'broken' | 'blind'
  readonly remark: string | null
}

/** The call as far as it is resolved: part of the run's state and of the note. */
export interface CallSummary {
  readonly from: string | null
  readonly to: string | null
  readonly host: string | null
  readonly port: number | null
  readonly method: string | null
  readonly path: string | null
  readonly protocol: string | null
  readonly hops: readonly Hop[]
  readonly assumptions: readonly string[]
}
