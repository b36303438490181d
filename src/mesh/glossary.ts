import { vocabulary } from './vocabulary-entry.ts'

/** Names of clusters that are no service. */
export const clusterNames = vocabulary(
  'cluster-name',
  { side: 'any-proxy' },
  {
    PassthroughCluster: {
      layer: 'egress',
      meaning:
        'Traffic to a destination that the mesh does not know, let through as it is: no mutual TLS, no routing rules.',
      next: 'Why is the host unknown? Service, ServiceEntry, Sidecar scope, Host header',
      mistake:
        'The destination may well be in the mesh: called by pod address or under another name it is unknown, and gets plaintext.',
    },
    BlackHoleCluster: {
      layer: 'egress-policy',
      meaning: 'Traffic to a destination that the mesh does not know, blocked (REGISTRY_ONLY).',
      next: 'ServiceEntries and the Sidecar resource of the caller’s namespace',
      mistake: 'Its flag UH is policy here, not missing pods.',
    },
    InboundPassthroughCluster: {
      aliases: ['InboundPassthroughClusterIpv4', 'InboundPassthroughClusterIpv6'],
      layer: 'protocol',
      meaning: 'Inbound traffic to a port that no Service declares.',
      next: 'targetPort of the Services against the port that was called',
      mistake: 'HTTP rules do not apply to it.',
    },
    AllowAnyDynamicDNSCluster: {
      layer: 'egress',
      meaning: 'Traffic to an unknown host, resolved by the proxy itself.',
      next: 'DNS from the pod',
      mistake: 'Flag DF belongs to it.',
      since: 'Istio 1.31',
    },
    connect_originate: {
      aliases: ['inner_connect_originate', 'outer_connect_originate', 'forward_inner_connect', 'encap'],
      layer: 'ambient-waypoint',
      meaning:
        'The part of a proxy that opens an HBONE tunnel to the next hop. Failures here carry the real connect error.',
      next: 'ztunnel’s log on the destination’s node',
      mistake: 'The service line beside it only repeats the outcome.',
    },
    main_internal: {
      aliases: ['connect_terminate'],
      layer: 'ambient-waypoint',
      meaning: 'The part of a waypoint that takes traffic out of an incoming tunnel.',
      next: 'The waypoint’s HTTP line of the same request',
      mistake: 'It is plumbing, no destination of yours.',
    },
    UnknownService: {
      layer: 'gateway-api',
      meaning: 'A Gateway API route points at a backend that does not exist or may not be used.',
      next: 'ResolvedRefs of the HTTPRoute; ReferenceGrants',
      mistake: 'Answered as 500, without any pod involved.',
    },
    block_all: {
      layer: 'egress-policy',
      meaning: 'The route for hosts that the mesh does not know, when only registered ones are allowed: 502.',
      next: 'ServiceEntries and the Sidecar resource of the caller’s namespace',
      mistake: 'Nobody was called: it is no bad gateway.',
    },
    allow_any: {
      layer: 'egress',
      meaning: 'The route for hosts that the mesh does not know, when all are allowed.',
      next: 'Is the host meant to be unknown?',
      mistake: 'VirtualServices and mutual TLS do not apply on it.',
    },
    'xds-grpc': {
      aliases: ['sds-grpc', 'prometheus_stats', 'agent'],
      layer: 'control-plane-xds',
      meaning: 'A cluster of the proxy’s own bootstrap: connections to the agent and to istiod.',
      next: 'The agent’s log',
      mistake: 'Not a service of yours.',
    },
  },
)

/** Words that the screens use, one key away. */
export const glossary = vocabulary(
  'glossary',
  {},
  {
    xDS: {
      aliases: ['ADS'],
      layer: 'control-plane-xds',
      meaning: 'The stream over which istiod sends configuration to proxies and they accept or refuse it.',
      next: 'istioctl proxy-status',
      mistake: 'Accepted is not the same as right.',
    },
    sidecar: {
      aliases: ['istio-proxy', 'native sidecar'],
      layer: 'injection',
      meaning: 'A proxy (Envoy) inside the pod that all traffic of the pod goes through.',
      next: 'kubectl get pod <pod> -n <ns> -o yaml: containers and, from Istio 1.27 usually, initContainers',
      mistake: 'A native sidecar stands in initContainers: "1/1" or a look at containers only misreads it as missing.',
    },
    Envoy: {
      layer: 'client-sidecar-listener',
      meaning: 'The proxy that Istio configures: in sidecars, gateways and waypoints.',
      next: 'istioctl proxy-config all <pod>.<ns>',
      mistake: 'It enforces what it received, not what the YAML says now.',
    },
    istiod: {
      aliases: ['pilot', 'control plane'],
      layer: 'control-plane',
      meaning: 'The control plane: turns objects into proxy configuration, signs certificates, injects proxies.',
      next: 'kubectl get pods -n istio-system -l app=istiod',
      mistake: 'Requests do not go through it: while it is down, running traffic continues.',
    },
    listener: {
      layer: 'client-sidecar-listener',
      meaning: 'Where a proxy takes connections, with the filters that they pass.',
      next: 'istioctl proxy-config listeners <pod>.<ns>',
      mistake: 'Inbound traffic all enters at port 15006 and is parted by filter chains.',
    },
    'filter chain': {
      layer: 'client-sidecar-listener',
      meaning:
        'The part of a listener that fits a connection by port, server name and kind (TLS or plaintext). No fitting one: NR filter_chain_not_found.',
      next: 'istioctl proxy-config listeners <pod>.<ns> --port 15006 -o json',
      mistake: 'It is chosen before any HTTP is read.',
    },
    cluster: {
      layer: 'client-sidecar-cluster',
      meaning: 'Envoy’s word for a destination: a service port, maybe with a subset, and how to talk to it.',
      next: 'istioctl proxy-config cluster <pod>.<ns>',
      mistake: 'Not a Kubernetes cluster.',
    },
    endpoint: {
      aliases: ['endpoints'],
      layer: 'kubernetes-endpoints',
      meaning: 'One address behind a cluster.',
      next: 'istioctl proxy-config endpoints <pod>.<ns>',
      mistake: 'HEALTHY means ready and not ejected, not that calls succeed.',
    },
    subset: {
      layer: 'client-sidecar-cluster',
      meaning: 'A named part of a service’s pods, defined by labels in a DestinationRule.',
      next: 'kubectl get destinationrules -A -o yaml',
      mistake: 'Not defined: NC. Defined but without pods: UH.',
    },
    route: {
      layer: 'client-sidecar-routing',
      meaning: 'What sends a request by host, path and headers to a cluster.',
      next: 'istioctl proxy-config routes <pod>.<ns>',
      mistake: 'The first match wins, not the most exact one.',
    },
    'virtual host': {
      aliases: ['vhost'],
      layer: 'client-sidecar-routing',
      meaning: 'The routes of one host name in one route configuration.',
      next: 'istioctl proxy-config routes <pod>.<ns> -o json',
      mistake: 'It is chosen by the Host header, not by the address.',
    },
    'outlier ejection': {
      aliases: ['outlier detection', 'ejected', 'outlier'],
      layer: 'client-sidecar-cluster',
      meaning: 'A proxy stops using a host for a while after consecutive errors.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> (OUTLIER CHECK), DestinationRule outlierDetection',
      mistake: 'Each proxy decides for itself: one caller may have ejected what another uses.',
    },
    'circuit breaker': {
      aliases: ['connectionPool'],
      layer: 'client-sidecar-cluster',
      meaning: 'Limits of connections and pending requests at the caller’s proxy; above them 503 UO.',
      next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host> -o json (circuitBreakers)',
      mistake: 'They count per proxy, not per service.',
    },
    mTLS: {
      aliases: ['mutual TLS'],
      layer: 'transport-mtls',
      meaning: 'TLS in which both ends show a certificate; gives the server the caller’s identity.',
      next: 'SNI outbound_… in the server’s line proves it; "-" means plaintext',
      mistake: 'PERMISSIVE accepts plaintext silently, and then there is no caller identity.',
    },
    STRICT: {
      layer: 'transport-mtls',
      meaning: 'PeerAuthentication mode: only mutual TLS is accepted.',
      next: 'kubectl get peerauthentications -A',
      mistake: 'Callers without a proxy get a reset, not an HTTP error.',
    },
    PERMISSIVE: {
      layer: 'transport-mtls',
      meaning: 'PeerAuthentication mode: mutual TLS and plaintext are both accepted. The default.',
      next: 'kubectl get peerauthentications -A',
      mistake: 'A policy that names principals fails for plaintext callers.',
    },
    SPIFFE: {
      aliases: ['SPIFFE ID', 'principal', 'spiffe://…'],
      layer: 'transport-mtls',
      meaning: 'The identity in a workload’s certificate: spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT.',
      next: 'kubectl get pod <pod> -n <ns> -o yaml (serviceAccountName)',
      mistake: 'Policies write it without spiffe://. It is about the service account, not the pod’s name.',
    },
    'trust domain': {
      layer: 'transport-mtls',
      meaning: 'The first part of identities, usually cluster.local.',
      next: 'meshConfig.trustDomain and trustDomainAliases',
      mistake: 'It need not be the cluster’s DNS domain.',
    },
    SNI: {
      aliases: ['server name', 'REQUESTED_SERVER_NAME'],
      layer: 'gateway-tls',
      meaning:
        'The server name that a TLS client sends before the handshake. Inside the mesh outbound_.PORT_.SUBSET_.HOST.',
      next: 'The SNI field of the access-log line',
      mistake: '"-" on an inbound line means plaintext or HBONE, not an error.',
    },
    HBONE: {
      aliases: ['15008'],
      layer: 'ambient-ztunnel',
      meaning: 'Ambient’s tunnel: HTTP/2 CONNECT over mutual TLS on port 15008.',
      next: 'istioctl ztunnel-config workload (PROTOCOL)',
      mistake: 'NetworkPolicies must allow 15008, not only the application’s port.',
    },
    ambient: {
      layer: 'ambient-ztunnel',
      meaning: 'The mesh without sidecars: ztunnel per node for L4, waypoints for L7.',
      next: 'kubectl get ns <ns> --show-labels (istio.io/dataplane-mode)',
      mistake: 'HTTP rules need a waypoint.',
    },
    ztunnel: {
      layer: 'ambient-ztunnel',
      meaning: 'The per-node proxy of ambient: mutual TLS and L4 policies, no HTTP.',
      next: 'kubectl logs -n istio-system -l app=ztunnel',
      mistake: 'It never answers 403; refused callers see a reset or an empty reply.',
    },
    waypoint: {
      layer: 'ambient-waypoint',
      meaning: 'An Envoy that ambient traffic to a service or namespace passes for HTTP routing and policy.',
      next: 'istioctl waypoint list -A; istioctl ztunnel-config service (WAYPOINT)',
      mistake: 'Sidecars, plain clients and calls to pod addresses go past it.',
    },
    gateway: {
      aliases: ['ingress gateway'],
      layer: 'gateway-routing',
      meaning:
        'A proxy at the mesh’s edge. The Gateway object opens its ports, VirtualServices or HTTPRoutes give it routes.',
      next: 'istioctl proxy-config routes <gateway-pod>.<gw-ns>',
      mistake: 'A VirtualService without gateways: does not apply to it.',
    },
    'egress gateway': {
      layer: 'egress',
      meaning: 'A gateway through which traffic leaves the mesh.',
      next: 'Its access log, between the caller’s and the outside',
      mistake: 'Both hops need a route: one missing gives NC or 404 at the other.',
    },
    VirtualService: {
      layer: 'client-sidecar-routing',
      meaning: 'Routing rules for hosts, applied at the caller’s proxy or at gateways.',
      next: 'kubectl get virtualservices -A',
      mistake: 'The server’s proxy does not apply it.',
    },
    DestinationRule: {
      layer: 'client-sidecar-cluster',
      meaning: 'How callers talk to a host: TLS mode, subsets, limits, outlier detection.',
      next: 'kubectl get destinationrules -A',
      mistake: 'tls.mode in it overrides automatic mutual TLS.',
    },
    PeerAuthentication: {
      layer: 'transport-mtls',
      meaning: 'What a server accepts: STRICT, PERMISSIVE or DISABLE, for mesh, namespace, workload or port.',
      next: 'kubectl get peerauthentications -A',
      mistake: 'It does not say what callers send; DestinationRules do.',
    },
    AuthorizationPolicy: {
      layer: 'authz',
      meaning: 'Who may call: CUSTOM is asked first, then DENY, then ALLOW.',
      next: 'istioctl x authz check <pod>.<ns>',
      mistake: 'As soon as one ALLOW covers a workload, everything that fits none is denied.',
    },
    RequestAuthentication: {
      layer: 'request-authn',
      meaning: 'Checks tokens that are there.',
      next: 'kubectl get requestauthentications -A',
      mistake: 'It does not require a token; an AuthorizationPolicy with requestPrincipals does.',
    },
    ServiceEntry: {
      layer: 'egress',
      meaning: 'Makes a host outside the mesh known to it.',
      next: 'kubectl get serviceentries -A',
      mistake: 'TCP entries without an address catch all traffic of that port.',
    },
    EnvoyFilter: {
      layer: 'extension',
      meaning: 'A patch of the proxies’ raw configuration.',
      next: 'kubectl get envoyfilters -A',
      mistake: 'When it stops fitting after an upgrade it is skipped without a word, or the whole push is rejected.',
    },
    REGISTRY_ONLY: {
      layer: 'egress-policy',
      meaning:
        'Outbound traffic only to hosts that the mesh knows. Others: 502 with route block_all, or a reset with BlackHoleCluster.',
      next: 'meshConfig.outboundTrafficPolicy, Sidecar resources',
      mistake: 'A Sidecar resource can set it for one namespace only.',
    },
    'request id': {
      aliases: ['x-request-id'],
      layer: 'observability',
      meaning: 'The header that joins the lines of all proxies of one request.',
      next: 'Search it in the logs of both sides',
      mistake: 'TCP lines and refused connections have none: join by address, port and time.',
    },
    'keep-alive race': {
      layer: 'app',
      meaning: 'The server closes an idle connection at the moment at which the proxy sends on it: 503 UC.',
      next: 'Same upstream local address as an earlier good request? Idle time of the server against 1 h of Envoy',
      mistake: 'Cuts on fresh connections are not it.',
    },
  },
)
