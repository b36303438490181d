/** A kind of object as kubectl's words mean it. */
export interface ObjectKind {
  readonly plural: string
  readonly kind: string
  readonly group: string
  readonly isNamespaced: boolean
  readonly shortNames: readonly string[]
}

/** plural, kind, short names; `*` marks what belongs to no namespace. */
const builtIn: Readonly<Record<string, string>> = {
  '': 'pods Pod po,services Service svc,configmaps ConfigMap cm,endpoints Endpoints ep,events Event ev,namespaces* Namespace ns,nodes* Node no,secrets Secret,serviceaccounts ServiceAccount sa,replicationcontrollers ReplicationController rc',
  apps: 'deployments Deployment deploy,daemonsets DaemonSet ds,replicasets ReplicaSet rs,statefulsets StatefulSet sts',
  batch: 'jobs Job,cronjobs CronJob cj',
  autoscaling: 'horizontalpodautoscalers HorizontalPodAutoscaler hpa',
  policy: 'poddisruptionbudgets PodDisruptionBudget pdb',
  'networking.k8s.io': 'ingresses Ingress ing,networkpolicies NetworkPolicy netpol',
  'discovery.k8s.io': 'endpointslices EndpointSlice',
  'admissionregistration.k8s.io':
    'mutatingwebhookconfigurations* MutatingWebhookConfiguration,validatingwebhookconfigurations* ValidatingWebhookConfiguration',
  'apiextensions.k8s.io': 'customresourcedefinitions* CustomResourceDefinition crd',
  'networking.istio.io':
    'virtualservices VirtualService vs,destinationrules DestinationRule dr,gateways Gateway gw,serviceentries ServiceEntry se,sidecars Sidecar,envoyfilters EnvoyFilter,workloadentries WorkloadEntry we,workloadgroups WorkloadGroup wg,proxyconfigs ProxyConfig',
  'security.istio.io':
    'authorizationpolicies AuthorizationPolicy ap,requestauthentications RequestAuthentication ra,peerauthentications PeerAuthentication pa',
  'telemetry.istio.io': 'telemetries Telemetry',
  'extensions.istio.io': 'wasmplugins WasmPlugin',
  'gateway.networking.k8s.io':
    'gateways Gateway gtw,httproutes HTTPRoute,grpcroutes GRPCRoute,tlsroutes TLSRoute,tcproutes TCPRoute,referencegrants ReferenceGrant refgrant,backendtlspolicies BackendTLSPolicy,gatewayclasses* GatewayClass gc',
}

export const builtInKinds: readonly ObjectKind[] = Object.entries(builtIn).flatMap(([group, text]) =>
  text.split(',').map((words) => {
    const [plural = '', kind = '', ...shortNames] = words.split(' ')
    return { plural: plural.replace('*', ''), kind, group, isNamespaced: !plural.endsWith('*'), shortNames }
  }),
)

/** A kind that a CustomResourceDefinition declares. */
export function kindOfDefinition(definition: unknown): ObjectKind | undefined {
  const { spec } = definition as {
    spec?: { group?: unknown; scope?: unknown; names?: { plural?: unknown; kind?: unknown; shortNames?: unknown } }
  }
  const { plural, kind, shortNames } = spec?.names ?? {}
  if (typeof plural !== 'string' || typeof kind !== 'string' || typeof spec?.group !== 'string') return undefined
  return {
    plural,
    kind,
    group: spec.group,
    isNamespaced: spec.scope !== 'Cluster',
    shortNames: Array.isArray(shortNames) ? shortNames.map(String) : [],
  }
}

/** What `vs`, `virtualservice`, `virtualservices.networking.istio.io` or `virtualservices.v1.networking.istio.io` means. */
export function resolveKind(kinds: readonly ObjectKind[], word: string): ObjectKind | undefined {
  const [name = '', ...rest] = word.toLowerCase().split('.')
  const group = rest.join('.').replace(/^v\d+((alpha|beta)\d+)?(\.|$)/, '')
  const called = kinds.filter(
    (kind) => kind.plural === name || kind.kind.toLowerCase() === name || kind.shortNames.includes(name),
  )
  return called.find((kind) => (group === '' ? rest.length === 0 || kind.group === '' : kind.group === group))
}

export const qualified = ({ plural, group }: ObjectKind): string => (group ? `${plural}.${group}` : plural)
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
/** Names a kind whatever version its objects were printed in. */
export const kindKey = (kind: string, group: string): string => `${kind}.${group}`
