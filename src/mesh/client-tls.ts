import type { KubeObject } from '../model/kube.ts'
import { objectName } from '../model/kube.ts'
import {
  effectiveBlock,
  type RuleClient,
  type RuleMesh,
  type SelectedRule,
  selectDestinationRule,
} from './destination-rule.ts'
import { serviceSni } from './names.ts'

export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE'

export type ClientWire =
  | 'istio-mtls'
  | 'plaintext'
  | 'simple-tls'
  | 'mutual-tls'
  | 'hbone'
  /** The configuration does not say enough. */
  | 'unknown'

export interface TlsMesh extends RuleMesh {
  /** Default true. */
  readonly enableAutoMtls?: boolean
}

export interface TlsService {
  readonly host: string
  readonly namespace: string
  /** Headless, or a load balancer PASSTHROUGH: the proxy decides once for the whole cluster. */
  readonly headless?: boolean
  /** From a ServiceEntry with location MESH_EXTERNAL. */
  readonly external?: boolean
  /** PeerAuthentication of the service's namespace or the mesh, workload and port policies left out. */
  readonly namespaceMode?: MtlsMode
}

export interface TlsEndpoint {
  readonly labels: Readonly<Record<string, string>>
  /** PeerAuthentication's outcome for this pod and port. */
  readonly effectiveMode: MtlsMode
  /** Takes HBONE: captured by ambient, or label networking.istio.io/tunnel=http. */
  readonly hbone?: boolean
  /** Behind a waypoint that this client uses. */
  readonly waypoint?: boolean
}

export interface TlsQuestion {
  readonly rules: readonly KubeObject[]
  readonly mesh: TlsMesh
  readonly client: RuleClient & {
    /** `none`: no proxy, or the port or address is excluded from capture, so the application's bytes go out as they are. */
    readonly proxy: 'sidecar' | 'gateway' | 'waypoint' | 'ztunnel' | 'none'
    /** A sidecar or gateway that can send HBONE (ambient enabled in the control plane). */
    readonly sendsHbone?: boolean
  }
  /** `null`: the address belongs to no service that the client knows (PassthroughCluster). */
  readonly service: TlsService | null
  /** The service's port, as in the cluster's name. */
  readonly port: number
  readonly subset?: string
  readonly endpoint: TlsEndpoint
  /** All endpoints of the service, for headless ones. Default: only `endpoint`. */
  readonly endpoints?: readonly TlsEndpoint[]
}

export interface ClientTls {
  readonly sends: ClientWire
  /** Why, naming what decided. */
  readonly why: string
  readonly decidedBy: { readonly object: KubeObject; readonly field: string } | null
  readonly rule: SelectedRule | null
  readonly sni: string | null
  /** SANs that the client insists on, when an object names them. */
  readonly subjectAltNames: readonly string[]
  /** One-way or foreign mutual TLS without a check of the server's certificate. */
  readonly skipsVerification: boolean
  readonly mode: 'auto' | 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL' | 'none'
}

const tlsModeLabel = 'security.istio.io/tlsMode'

/** What the client's side puts on the wire towards one endpoint, and which object says so. */
export function clientTls(question: TlsQuestion): ClientTls {
  const { client, service, port, endpoint } = question
  if (client.proxy === 'none') return plain('none', 'no proxy takes part on the client side for this address and port')
  if (client.proxy === 'ztunnel') {
    return endpoint.hbone || endpoint.waypoint
      ? { ...plain('auto', 'the client’s ztunnel speaks HBONE to a captured pod'), sends: 'hbone' }
      : plain('auto', 'the server is not captured, ztunnel forwards plaintext')
  }
  if (service === null)
    return plain('none', 'the address belongs to no known service: PassthroughCluster sends no mesh mTLS')

  const rule = selectDestinationRule(question.rules, client, service, question.mesh)
  const subset = question.subset ?? ''
  const tls = effectiveBlock(rule, 'tls', port, subset)
  if (tls) {
    const said = explicit(tls.value, tls, rule, service, port, subset)
    return client.proxy === 'sidecar' ? withoutForeignCredential(said, tls.value, rule) : said
  }
  return { ...auto(question, rule, service, subset), rule }
}

function plain(mode: ClientTls['mode'], why: string): ClientTls {
  return {
    sends: 'plaintext',
    why,
    decidedBy: null,
    rule: null,
    sni: null,
    subjectAltNames: [],
    skipsVerification: false,
    mode,
  }
}

function explicit(
  // biome-ignore lint/suspicious/noExplicitAny: the tls block as written
  tls: any,
  by: { readonly object: KubeObject; readonly field: string },
  rule: SelectedRule | null,
  service: TlsService,
  port: number,
  subset: string,
): ClientTls {
  // An empty tls block means DISABLE, the zero value.
  const mode = String(tls?.mode ?? 'DISABLE')
  const common = {
    decidedBy: { object: by.object, field: by.field },
    rule,
    subjectAltNames: Array.isArray(tls?.subjectAltNames) ? tls.subjectAltNames.map(String) : [],
    skipsVerification: tls?.insecureSkipVerify === true,
  }
  const why = `${objectName(by.object)} sets ${by.field}.mode ${mode}`
  const ownSni = typeof tls?.sni === 'string' && tls.sni !== '' ? String(tls.sni) : null
  switch (mode) {
    case 'DISABLE':
      return { ...plain('DISABLE', why), ...common, mode: 'DISABLE' }
    case 'SIMPLE':
      return { ...common, sends: 'simple-tls', why, sni: ownSni, mode: 'SIMPLE' }
    case 'MUTUAL':
      return { ...common, sends: 'mutual-tls', why, sni: ownSni, mode: 'MUTUAL' }
    case 'ISTIO_MUTUAL':
      return {
        ...common,
        sends: 'istio-mtls',
        why,
        sni: ownSni ?? serviceSni(port, subset, service.host),
        mode: 'ISTIO_MUTUAL',
      }
  }
  return { ...plain('none', `${why}, which is not known here`), ...common, sends: 'unknown' }
}

/**
 * istiod hands a Secret to sidecars only through a rule with a workloadSelector. Without one it leaves the cluster's TLS out: the sidecar sends
 * plaintext although the rule says SIMPLE or MUTUAL.
 */
// biome-ignore lint/suspicious/noExplicitAny: the tls block as written
function withoutForeignCredential(said: ClientTls, tls: any, rule: SelectedRule | null): ClientTls {
  const name = typeof tls?.credentialName === 'string' ? tls.credentialName : ''
  const isSecret = name !== '' && !name.startsWith('configmap://')
  const isOwnMode = said.mode === 'SIMPLE' || said.mode === 'MUTUAL'
  if (!isSecret || !isOwnMode || rule?.objects[0]?.spec?.workloadSelector) return said
  const why = `${said.why} with credentialName ${name}, which sidecars get only by a rule with a workloadSelector: its TLS is left out`
  return { ...said, sends: 'plaintext', why, sni: null, subjectAltNames: [] }
}

/** No tls block counts for this cluster: auto mTLS looks at every endpoint. */
function auto(question: TlsQuestion, rule: SelectedRule | null, service: TlsService, subset: string): ClientTls {
  const { mesh, client, endpoint, port } = question
  const istio = (why: string, decidedBy: ClientTls['decidedBy'] = null): ClientTls => ({
    ...plain('auto', why),
    sends: 'istio-mtls',
    decidedBy,
    sni: serviceSni(port, subset, service.host),
  })
  const hbone = (): ClientTls | null =>
    client.sendsHbone && endpoint.hbone && endpoint.labels[tlsModeLabel] !== 'istio'
      ? { ...plain('auto', 'the endpoint takes HBONE'), sends: 'hbone' }
      : null
  if (mesh.enableAutoMtls === false)
    return hbone() ?? plain('none', 'no tls in a DestinationRule, and enableAutoMtls is off in the mesh config')
  if (service.external) return plain('auto', 'the service is outside the mesh (MESH_EXTERNAL)')
  if (service.namespaceMode === 'DISABLE')
    return hbone() ?? plain('auto', `PeerAuthentication of namespace ${service.namespace} or the mesh is DISABLE`)

  if (isPassthrough(question, rule, service, subset)) {
    const all = question.endpoints ?? [endpoint]
    const without = all.find((other) => other.labels[tlsModeLabel] !== 'istio')
    if (all.length === 0 || without)
      return hbone() ?? plain('auto', 'headless service: one endpoint without a sidecar turns mTLS off for all')
    return istio('headless service with sidecars everywhere: workload and port modes are not looked at')
  }

  const forEndpoints = endpointOverride(rule, port, subset)
  if (forEndpoints) {
    const why = `${objectName(forEndpoints.object)} sets ${forEndpoints.field}.mode ${forEndpoints.mode}, which the endpoints follow although the port’s own settings hide it from the cluster`
    return forEndpoints.mode === 'ISTIO_MUTUAL'
      ? istio(why, forEndpoints)
      : { ...plain('auto', why), decidedBy: forEndpoints }
  }
  if (endpoint.labels[tlsModeLabel] !== 'istio')
    return (
      hbone() ??
      plain('auto', `the pod has no label ${tlsModeLabel}=istio: auto mTLS takes it for a pod without sidecar`)
    )
  if (endpoint.effectiveMode === 'DISABLE') return plain('auto', 'PeerAuthentication is DISABLE for this pod and port')
  return istio('auto mTLS: the pod has a sidecar and PeerAuthentication lets mTLS in')
}

function isPassthrough(question: TlsQuestion, rule: SelectedRule | null, service: TlsService, subset: string): boolean {
  if (service.headless) return true
  return effectiveBlock(rule, 'loadBalancer', question.port, subset)?.value?.simple === 'PASSTHROUGH'
}

/**
 * The endpoints' check is not the cluster's: it looks only into the subset's policy when there is a subset, and sees the top level
 * even where a port has settings of its own.
 */
function endpointOverride(
  rule: SelectedRule | null,
  port: number,
  subsetName: string,
): { readonly object: KubeObject; readonly field: string; readonly mode: string } | null {
  if (!rule) return null
  const subset = subsetName === '' ? undefined : rule.subsets.find(({ name }) => name === subsetName)
  if (subsetName !== '' && !subset) return null
  const policy = subset ? subset.trafficPolicy : rule.trafficPolicy
  const object = subset ? subset.from : rule.policyFrom
  if (!policy || !object) return null
  const path = subset ? `subsets[${subset.name}].trafficPolicy` : 'trafficPolicy'
  const settings: unknown = policy.portLevelSettings
  const own = Array.isArray(settings) ? settings.find((entry) => entry?.port?.number === port)?.tls : undefined
  if (own) return { object, field: `${path}.portLevelSettings[${port}].tls`, mode: String(own.mode ?? 'DISABLE') }
  return policy.tls ? { object, field: `${path}.tls`, mode: String(policy.tls.mode ?? 'DISABLE') } : null
}
