import type { AccessLogSetting } from '../mesh/access-log-setting.ts'
import type { MissingReason } from '../model/missing.ts'

/** What could not be learned, in the tool's words, and what would unlock it. */
export interface Unlearned {
  readonly reason: MissingReason
  readonly detail: string
  readonly unlock: string | null
}

export interface ToolCheck {
  readonly name: 'kubectl' | 'istioctl'
  readonly version: string | null
  readonly missing: Unlearned | null
  /** What a walk cannot do without it. */
  readonly lost: string
}

export interface PermissionCheck {
  readonly verb: string
  /** `pods/log`, `telemetries.telemetry.istio.io`. */
  readonly resource: string
  /** Null: in all namespaces. */
  readonly namespace: string | null
  /** Null: nobody could be asked. */
  readonly allowed: boolean | null
  readonly needsExec: boolean
  readonly feeds: readonly string[]
  readonly lost: string
}

export interface DataPlane {
  readonly mode: 'sidecar' | 'ambient' | 'mixed' | 'none'
  readonly sidecarNamespaces: readonly string[]
  readonly ambientNamespaces: readonly string[]
  readonly ztunnels: number
}

export interface DoctorReport {
  readonly kind: 'DoctorReport'
  readonly schemaVersion: '1.0'
  readonly tools: readonly ToolCheck[]
  readonly cluster: {
    readonly context: string | null
    readonly kubernetesVersion: string | null
    readonly istiods: readonly string[]
    /** Why the API server told nothing. */
    readonly missing: Unlearned | null
  }
  readonly skew: readonly string[]
  readonly dataPlane: DataPlane | Unlearned
  readonly accessLog: AccessLogSetting | Unlearned
  readonly permissions: readonly PermissionCheck[]
  /** Settings of the person's shell that change what the tools do. */
  readonly environment: readonly { readonly name: string; readonly value: string; readonly effect: string }[]
}

export function isUnlearned(value: object): value is Unlearned {
  return 'reason' in value
}

/** What each missing thing costs a walk; empty when it can look at everything. */
export function lossesOf(report: DoctorReport): readonly { readonly what: string; readonly lost: string }[] {
  const tools = report.tools.filter(({ missing }) => missing !== null).map(({ name, lost }) => ({ what: name, lost }))
  if (report.cluster.missing !== null)
    return [...tools, { what: 'the cluster', lost: 'everything live; see below for what works without it' }]
  const denied = report.permissions
    .filter(({ allowed }) => allowed !== true)
    .map(({ verb, resource, namespace, lost }) => ({
      what: `${verb} ${resource}${namespace === null ? '' : ` in ${namespace}`}`,
      lost,
    }))
  return [...tools, ...denied, ...silentLogs(report.accessLog)]
}

/** Only the log of the deciding proxy proves who answered, so a log that is not written costs as much as one that may not be read. */
function silentLogs(accessLog: DoctorReport['accessLog']): readonly { readonly what: string; readonly lost: string }[] {
  if (isUnlearned(accessLog)) return []
  const silent = [
    ...(accessLog.state === 'on' ? [] : ['the access log']),
    ...accessLog.exceptions
      .filter(({ state }) => state !== 'on')
      .map(({ namespace, isPartial }) => `the access log of ${isPartial ? 'some workloads in ' : ''}${namespace}`),
  ]
  return silent.map((what) => ({ what, lost: 'who answered stays unproven there' }))
}

/** What needs no cluster and no tools. */
export const worksAlways: readonly string[] = [
  'meshtriage demo',
  'meshtriage explain TEXT',
  'meshtriage logs FILE',
  'meshtriage diagnose --open ARCHIVE',
  'meshtriage replay DIR',
  'meshtriage note show',
]

/** Minor versions further apart than Istio supports: istioctl and proxies one minor from istiod. */
export function skewOf(istioctl: string | null, istiods: readonly string[]): readonly string[] {
  const client = minorOf(istioctl)
  if (client === null) return []
  return istiods.flatMap((version) => {
    const server = minorOf(version)
    return server !== null && Math.abs(server - client) > 1
      ? [
          `istioctl ${istioctl} and istiod ${version} are more than one minor version apart: some outputs may be missing or differ`,
        ]
      : []
  })
}

function minorOf(version: string | null): number | null {
  const match = /^v?1\.(\d+)/.exec(version ?? '')
  return match ? Number(match[1]) : null
}
