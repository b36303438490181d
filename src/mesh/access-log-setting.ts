import type { KubeObject } from '../model/kube.ts'
import type { MeshConfig } from './mesh-config.ts'

export interface AccessLogSetting {
  /** `elsewhere`: written, but not where `kubectl logs` shows it. */
  readonly state: 'on' | 'off' | 'elsewhere'
  readonly because: string
  /** Where a Telemetry of a namespace or workload says otherwise. */
  readonly exceptions: readonly AccessLogException[]
}

export interface AccessLogException {
  readonly state: AccessLogSetting['state']
  readonly namespace: string
  /** It holds for chosen workloads only. */
  readonly isPartial: boolean
  readonly because: string
}

/** Whether proxies write access logs by default: the mesh-wide Telemetry before the mesh configuration. */
export function accessLogSetting(mesh: MeshConfig, telemetries: readonly KubeObject[]): AccessLogSetting {
  const speaking = telemetries.filter(({ spec }) => Array.isArray(spec?.accessLogging) && spec.accessLogging.length > 0)
  const isMeshWide = ({ metadata, spec }: KubeObject) =>
    metadata.namespace === mesh.rootNamespace && !spec?.selector && !spec?.targetRefs && !spec?.targetRef
  const exceptions = speaking.filter((object) => !isMeshWide(object)).flatMap((object) => exceptionOf(object, mesh))
  // Of several mesh-wide ones Istio takes the oldest.
  const [wide] = speaking
    .filter(isMeshWide)
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
  const said = wide ? byTelemetry(wide, mesh) : null
  if (said) return { ...said, exceptions }
  const providers = mesh.defaultProviders.accessLogging ?? []
  if (providers.length > 0)
    return { ...byProviders(providers, 'defaultProviders.accessLogging of the mesh configuration'), exceptions }
  const { file } = mesh.accessLog
  if (file === '') return { state: 'off', because: 'the mesh configuration names no accessLogFile', exceptions }
  return /^\/dev\/(stdout|stderr)$/.test(file)
    ? { state: 'on', because: `accessLogFile of the mesh configuration is ${file}`, exceptions }
    : { state: 'elsewhere', because: `accessLogFile is ${file}, a file in each proxy's container`, exceptions }
}

interface Logging {
  readonly disabled?: boolean
  readonly providers?: readonly { readonly name?: string }[]
  readonly filter?: unknown
}

/** Null where it changes nothing, and the mesh configuration decides. */
function byTelemetry({ metadata, spec }: KubeObject, mesh: MeshConfig): Omit<AccessLogSetting, 'exceptions'> | null {
  const name = `Telemetry ${metadata.namespace}/${metadata.name}`
  const entries: readonly Logging[] = spec.accessLogging
  const namesProviders = ({ providers }: Logging) => Array.isArray(providers) && providers.length > 0
  // `disabled` takes providers away. A file that accessLogFile names is none, and goes on being written.
  const isFileOnly = mesh.accessLog.file !== '' && (mesh.defaultProviders.accessLogging ?? []).length === 0
  if (entries.some((entry) => entry.disabled === true && (namesProviders(entry) || !isFileOnly)))
    return { state: 'off', because: `${name} switches it off` }
  const open = entries.filter(
    (entry) => entry.disabled !== true && (namesProviders(entry) || entry.filter !== undefined),
  )
  if (open.length === 0) return null
  const providers = open.flatMap((entry) => (namesProviders(entry) ? (entry.providers ?? []) : []))
  // An entry that only filters, filters the built-in log.
  return byProviders(providers.length > 0 ? providers.map((provider) => provider.name ?? '') : ['envoy'], name)
}

function byProviders(providers: readonly string[], where: string): Omit<AccessLogSetting, 'exceptions'> {
  return providers.includes('envoy')
    ? { state: 'on', because: `${where} names the provider envoy, which prints to the container's log` }
    : { state: 'elsewhere', because: `${where} sends it to ${providers.join(', ')}` }
}

function exceptionOf(telemetry: KubeObject, mesh: MeshConfig): AccessLogException[] {
  const said = byTelemetry(telemetry, mesh)
  const { metadata, spec } = telemetry
  const isPartial = Boolean(spec.selector ?? spec.targetRefs ?? spec.targetRef)
  return said === null ? [] : [{ ...said, namespace: metadata.namespace ?? 'default', isPartial }]
}
