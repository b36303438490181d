import type { EnvoyCluster } from '../../parsers/proxy-config-cluster.ts'
import type { ClusterEndpoints } from '../../parsers/proxy-config-endpoint.ts'
import type { EnvoyListener } from '../../parsers/proxy-config-listener.ts'
import type { RouteConfiguration } from '../../parsers/proxy-config-route.ts'
import type { ProxySecret } from '../../parsers/proxy-config-secret.ts'
import type { ConfigObject } from './config-object.ts'
import type { Connection } from './filter-chain.ts'
import type { PathNormalization } from './mesh-config.ts'
import type { HttpRequest } from './route-match.ts'
import type { Upstream } from './upstream.ts'

/** What `proxy-config` printed for one proxy. `null`: that part was not looked at. */
export interface ProxyConfig {
  readonly listeners: readonly EnvoyListener[] | null
  readonly routes: readonly RouteConfiguration[] | null
  readonly clusters: readonly EnvoyCluster[] | null
  /** From `proxy-config endpoint`: live health. */
  readonly endpoints: readonly ClusterEndpoints[] | null
  /** From `proxy-config eds`: labels that decide about mTLS. */
  readonly eds?: readonly ClusterEndpoints[] | null
  /** From `proxy-config secret`: tells certificates that the proxy waits for. */
  readonly secrets?: readonly ProxySecret[] | null
}

export interface TraceQuestion {
  readonly direction: 'outbound' | 'inbound' | 'gateway'
  readonly connection: Connection
  /** `null` for a TCP connection. */
  readonly request: HttpRequest | null
  readonly normalization?: PathNormalization
}

export interface TraceStep {
  readonly kind:
    | 'listener'
    | 'filter-chain'
    | 'filter'
    | 'route'
    | 'cluster'
    | 'endpoints'
    | 'transport-socket'
    | 'hbone'
  readonly name: string
  readonly object: ConfigObject | null
  readonly facts: Readonly<Record<string, unknown>>
  readonly broken?: Broken
}

export interface Broken {
  readonly why: string
  /** Short response flag; `''` where the proxy logs none. */
  readonly flag: string
  readonly details: string | null
}

export interface Trace {
  readonly steps: readonly TraceStep[]
  /** `cannot-decide`: a part was not looked at, or depends on what the question does not say. */
  readonly outcome: 'forwarded' | 'answered' | 'failed' | 'cannot-decide'
  /** Status from this proxy itself; `null` when the answer comes from further on, or for TCP. */
  readonly status: number | null
  readonly flags: readonly string[]
  readonly details: string | null
  readonly route: string | null
  readonly clusters: readonly { readonly name: string; readonly percent: number }[]
  readonly upstreams: readonly Upstream[]
  readonly why: string
}

/** Completes a trace: what is not said stays undecided. */
export type End = (rest: Partial<Trace>) => Trace

export const undecided: Omit<Trace, 'steps'> = {
  outcome: 'cannot-decide',
  status: null,
  flags: [],
  details: null,
  route: null,
  clusters: [],
  upstreams: [],
  why: '',
}
