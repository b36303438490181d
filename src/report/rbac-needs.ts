/** Where a right is needed: in the namespaces of calls, where istiod runs, where gateways run, or in no namespace. */
export type NeedScope = 'call' | 'istio' | 'gateway' | 'cluster'

/** A right that some probe cannot do without. */
export interface AccessNeed {
  readonly group: string
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly scope: NeedScope
  /** Only objects of these names. */
  readonly names?: readonly string[]
  /** It lets one into a pod or its ports: left out under --no-exec. */
  readonly needsExec: boolean
  /** Names of the probes that live on it. */
  readonly feeds: readonly string[]
  /** What a walk without it cannot say. */
  readonly lost: string
}

const lostWithout: Readonly<Record<string, string>> = {
  'security.istio.io': 'which policy refuses a call, and which mTLS mode holds',
  'networking.istio.io': 'where routes, clusters and gateways come from',
  'telemetry.istio.io': 'whether access logging is on',
  'extensions.istio.io': 'Wasm plugins on the way',
}

const reads = { needsExec: false, scope: 'call' } as const

/**
 * Everything that the probes need, and nothing besides. A test holds it against the commands of all recorded walks, in
 * both directions.
 */
export const accessNeeds: readonly AccessNeed[] = [
  {
    ...reads,
    group: '',
    resources: ['pods', 'services'],
    verbs: ['get', 'list', 'watch'],
    feeds: ['config', 'pods', 'podsByIp', 'callers', 'analyze', 'accessLog', 'clusters'],
    lost: 'who calls whom, which pods are behind a service and whether they have a proxy: nearly everything',
  },
  {
    ...reads,
    group: '',
    resources: ['namespaces'],
    verbs: ['get', 'list', 'watch'],
    feeds: ['namespaces', 'analyze'],
    lost: 'labels for injection and ambient mode',
  },
  {
    ...reads,
    group: '',
    resources: ['pods/log'],
    verbs: ['get'],
    feeds: ['accessLog', 'ztunnelLog', 'istiodLog'],
    lost: 'who answered: only the access log of the deciding proxy proves it',
  },
  {
    ...reads,
    group: '',
    resources: ['events'],
    verbs: ['list'],
    feeds: ['events'],
    lost: 'failed probes, failed mounts, kills and evictions',
  },
  {
    ...reads,
    group: 'discovery.k8s.io',
    resources: ['endpointslices'],
    verbs: ['list'],
    feeds: ['config'],
    lost: 'whether a service has ready endpoints',
  },
  {
    ...reads,
    group: 'apps',
    resources: ['deployments'],
    verbs: ['list'],
    feeds: ['config'],
    lost: 'what a pod template asks for, as against what its pods have',
  },
  {
    ...reads,
    group: 'networking.k8s.io',
    resources: ['networkpolicies'],
    verbs: ['list'],
    feeds: ['config'],
    lost: 'refusals by NetworkPolicy',
  },
  ...['security.istio.io', 'networking.istio.io', 'telemetry.istio.io', 'extensions.istio.io'].map(
    (group): AccessNeed => ({
      ...reads,
      group,
      // istioctl analyze waits for ever for a kind that it may not list, and releases bring new kinds.
      resources: ['*'],
      verbs: ['get', 'list', 'watch'],
      feeds: group === 'networking.istio.io' ? ['config', 'analyze', 'published'] : ['config', 'analyze'],
      lost: lostWithout[group] ?? group,
    }),
  ),
  {
    ...reads,
    group: 'gateway.networking.k8s.io',
    resources: ['gateways', 'httproutes', 'grpcroutes', 'referencegrants'],
    verbs: ['list', 'watch'],
    feeds: ['config', 'analyze', 'published'],
    lost: 'gateways, waypoints and routes of the Gateway API',
  },
  {
    ...reads,
    group: 'networking.k8s.io',
    resources: ['ingresses', 'ingressclasses'],
    verbs: ['list'],
    feeds: ['published', 'ingressClasses'],
    lost: 'whether the host of a call from outside belongs to another ingress controller',
  },
  {
    needsExec: true,
    scope: 'call',
    group: '',
    resources: ['pods/portforward'],
    verbs: ['create'],
    feeds: ['listeners', 'routes', 'clusters', 'endpoints', 'secrets', 'proxyStatus', 'version', 'ztunnelWorkloads'],
    lost: 'what proxies really have (istioctl proxy-config, proxy-status, ztunnel-config): YAML is then all there is',
  },
  {
    needsExec: true,
    scope: 'call',
    group: '',
    resources: ['pods/exec'],
    verbs: ['create'],
    feeds: ['stats', 'hosts', 'serverInfo'],
    lost: "the proxies' counters, limits and health of hosts",
  },
  {
    needsExec: false,
    scope: 'istio',
    group: '',
    resources: ['configmaps'],
    names: ['istio'],
    verbs: ['get'],
    feeds: ['meshConfig'],
    lost: 'mesh-wide settings: access log and its format, auto mTLS, outbound policy, authorizers',
  },
  {
    needsExec: true,
    scope: 'istio',
    group: '',
    resources: ['serviceaccounts/token'],
    names: ['default'],
    verbs: ['create'],
    feeds: ['proxyStatus'],
    lost: 'sync states: istioctl proxy-status asks istiod with a token of this account',
  },
  {
    needsExec: false,
    scope: 'gateway',
    group: '',
    resources: ['secrets'],
    verbs: ['list'],
    feeds: ['secretNames'],
    lost: 'whether the Secret that a gateway names exists. Only names are read, but RBAC cannot grant names alone',
  },
  {
    needsExec: false,
    scope: 'cluster',
    group: 'admissionregistration.k8s.io',
    resources: ['mutatingwebhookconfigurations'],
    verbs: ['get', 'list', 'watch'],
    feeds: ['webhooks', 'proxyStatus'],
    lost: 'why a pod was not injected; istioctl 1.28 and later may wait for it in vain',
  },
]
