import { vocabulary } from './vocabulary-entry.ts'

/** What `istioctl proxy-status` says about one configuration type of one proxy, and the types themselves. */
export const xdsStates = vocabulary(
  'xds-state',
  { side: 'istioctl', doc: 'https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/' },
  {
    SYNCED: {
      aliases: ['SYNCED (…)'],
      layer: 'control-plane-xds',
      meaning:
        'The proxy acknowledged what istiod last sent of this type. From istiod 1.23 the age of that is in parentheses.',
      next: 'Is what was sent right? istioctl proxy-config … <pod>.<ns>',
      mistake: 'It proves receipt, not correctness.',
    },
    STALE: {
      aliases: ['STALE (…)'],
      layer: 'control-plane-xds',
      meaning:
        'istiod sent something and the proxy has not answered: a broken or overloaded stream, or a proxy that hangs.',
      next: 'istiod’s log and the proxy’s log for this pod; is its CPU throttled?',
      mistake:
        'It is not a rejection. Restarting helps a broken stream only. A frozen proxy is STALE for about half a minute and then absent.',
    },
    'STALE (Never Acknowledged)': {
      layer: 'control-plane-xds',
      meaning:
        'istiod sent something and this proxy never acknowledged any of it. Old istioctl shows rejections like this too.',
      next: 'istiod’s log for "ACK ERROR" of this pod',
      mistake: 'With istioctl up to 1.21 it may be a rejection in disguise.',
    },
    ERROR: {
      layer: 'control-plane-xds',
      meaning: 'The proxy rejected the last push of this type (a NACK) and keeps the configuration before it.',
      next: 'istiod’s log for "ACK ERROR" of this pod: it holds Envoy’s reason',
      mistake: 'Do not restart the pod: it loses the last good configuration and then has none.',
      since: 'Istio 1.22',
    },
    'NOT SENT': {
      aliases: ['NOT_SENT'],
      layer: 'control-plane-xds',
      meaning: 'istiod had nothing of this type to send to this proxy. Normal for a gateway without routes, say.',
      next: 'Only if something was expected: does a resource select this proxy?',
      mistake: 'It is no error by itself.',
    },
    IGNORED: {
      layer: 'control-plane-xds',
      meaning: 'This proxy does not ask for this type. Normal for ztunnel and for ECDS.',
      next: 'Nothing',
      mistake: 'It is no error.',
    },
    UNKNOWN: {
      layer: 'control-plane-xds',
      meaning: 'istiod did not say what the state is.',
      next: 'istioctl proxy-status <pod>.<ns> -v 1 or -o json',
      mistake: 'Unknown is not healthy.',
    },
    WARMING: {
      layer: 'gateway-tls',
      meaning:
        'The proxy asked for this resource (usually a certificate) and has not got it; what needs it is not in use yet.',
      next: 'Does the Secret exist where the gateway runs, and may it be read? istiod’s log for "unauthorized certificates"',
      mistake: 'It does not finish by waiting when the Secret is missing.',
    },
    NACK: {
      aliases: ['ACK ERROR'],
      layer: 'control-plane-xds',
      meaning: 'The proxy refused a configuration push and said why; it goes on with the one before.',
      next: 'istiod’s log for "ACK ERROR" and what was changed at that time',
      mistake: 'The whole type is refused, so unrelated changes of the same type do not arrive either.',
    },
    CDS: {
      aliases: ['Cluster Discovery Service'],
      layer: 'control-plane-xds',
      meaning:
        'Clusters: the destinations a proxy knows, with their TLS, limits and load balancing (DestinationRules).',
      next: 'istioctl proxy-config cluster <pod>.<ns>',
      mistake: 'A cluster is Envoy’s word for a destination, not a Kubernetes cluster.',
    },
    LDS: {
      aliases: ['Listener Discovery Service'],
      layer: 'control-plane-xds',
      meaning: 'Listeners: where a proxy accepts connections, and the filters on them (mTLS, JWT, authorization).',
      next: 'istioctl proxy-config listeners <pod>.<ns>',
      mistake: 'Authorization and JWT rules live here, not in routes.',
    },
    RDS: {
      aliases: ['Route Discovery Service'],
      layer: 'control-plane-xds',
      meaning: 'Routes: which host and path goes to which cluster (VirtualServices, HTTPRoutes).',
      next: 'istioctl proxy-config routes <pod>.<ns>',
      mistake: 'Plain TCP has none; its routing is in the listener.',
    },
    EDS: {
      aliases: ['Endpoint Discovery Service'],
      layer: 'control-plane-xds',
      meaning: 'Endpoints: the addresses behind a cluster, with health.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> --cluster "<cluster>"',
      mistake: 'HEALTHY here means ready in Kubernetes and not ejected, not that requests succeed.',
    },
    SDS: {
      aliases: ['Secret Discovery Service'],
      layer: 'control-plane-xds',
      meaning:
        'Certificates and keys of a proxy. Workload certificates come from the local agent, gateway credentials from istiod.',
      next: 'istioctl proxy-config secret <pod>.<ns>',
      mistake: 'proxy-status shows the column only once a gateway asked for a credential.',
    },
    ECDS: {
      aliases: ['Extension Config Discovery Service'],
      layer: 'extension',
      meaning: 'Configuration of extensions such as WasmPlugins.',
      next: 'istioctl proxy-config ecds <pod>.<ns>',
      mistake: 'IGNORED or blank here is normal without extensions.',
    },
    NDS: {
      aliases: ['Name Discovery Service'],
      layer: 'dns',
      meaning: 'Names for the DNS proxy of the agent.',
      next: 'meshConfig defaultConfig.proxyMetadata (ISTIO_META_DNS_CAPTURE)',
      mistake: 'Only used where DNS capture is on.',
    },
    PCDS: {
      aliases: ['Proxy Config Discovery Service'],
      layer: 'control-plane-ca',
      meaning: 'Trust bundles and settings for the agent.',
      next: 'istioctl proxy-status -v 1',
      mistake: 'It is for the agent, not for Envoy.',
    },
    WDS: {
      aliases: ['Workload Discovery Service'],
      layer: 'ambient-ztunnel',
      meaning: 'Workloads and services for ztunnel.',
      next: 'istioctl ztunnel-config workload; istioctl ztunnel-config service',
      mistake: 'The column can appear twice: addresses and workloads share the name.',
    },
    WADS: {
      aliases: ['Workload Authorization Discovery Service'],
      layer: 'ambient-ztunnel',
      meaning: 'Authorization policies for ztunnel.',
      next: 'istioctl ztunnel-config policy',
      mistake: 'Only what ztunnel can enforce at L4 is in it.',
    },
  },
)
