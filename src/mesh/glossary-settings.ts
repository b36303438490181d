import { vocabulary } from './vocabulary-entry.ts'

/** Values, labels and conditions that stand in objects. */
export const settingWords = vocabulary(
  'glossary',
  {},
  {
    ISTIO_MUTUAL: {
      layer: 'transport-mtls',
      meaning: 'DestinationRule tls.mode: callers use the mesh’s own certificates towards this host.',
      next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host> -o json (transportSocket)',
      mistake:
        'A destination without a proxy cannot answer it: 503 UF with WRONG_VERSION_NUMBER. Without any rule the proxies choose it by themselves where it works.',
    },
    DISABLE: {
      layer: 'transport-mtls',
      meaning:
        'A TLS mode: in a DestinationRule callers send plaintext, in a PeerAuthentication the server expects it.',
      next: 'kubectl get destinationrules,peerauthentications -A',
      mistake: 'In a DestinationRule it overrides automatic mutual TLS, also where the server is STRICT.',
    },
    SIMPLE: {
      layer: 'gateway-tls',
      meaning:
        'A TLS mode with a certificate on the server’s side only: TLS ends at this Gateway, or a DestinationRule starts it.',
      next: 'kubectl get gateways.networking.istio.io,destinationrules -A',
      mistake: 'Towards a STRICT sidecar it fails: the caller shows no certificate.',
    },
    MUTUAL: {
      layer: 'gateway-tls',
      meaning:
        'A TLS mode with certificates on both sides that you provide: at a Gateway callers need one, in a DestinationRule the proxy shows one.',
      next: 'credentialName and its Secret: does it hold a CA (ca.crt or cacert)?',
      mistake: 'It is not the mesh’s mutual TLS: that is ISTIO_MUTUAL.',
    },
    PASSTHROUGH: {
      layer: 'gateway-tls',
      meaning: 'A Gateway’s TLS mode: encrypted traffic is passed on as it is, chosen by server name.',
      next: 'VirtualServices with tls: routes and sniHosts for this Gateway',
      mistake: 'HTTP routes never match on it, as nobody decrypts it there.',
    },
    AUTO_PASSTHROUGH: {
      layer: 'multicluster',
      meaning:
        'TLS mode of east-west gateways: traffic from another network is passed on by its server name, without VirtualServices.',
      next: 'istioctl proxy-config listeners <gateway-pod>.<gw-ns>',
      mistake: 'It takes mesh mutual TLS only: plaintext has no server name to go by.',
    },
    UNSET: {
      layer: 'transport-mtls',
      meaning:
        'PeerAuthentication mode: what the next wider policy (namespace, then mesh) says; PERMISSIVE if none does.',
      next: 'meshtriage mtls <workload>.<ns>',
      mistake: 'It does not turn anything off.',
    },
    CUSTOM: {
      layer: 'ext-authz',
      meaning: 'AuthorizationPolicy action: an external service decides. It is asked before DENY and ALLOW policies.',
      next: 'meshConfig.extensionProviders, and the log of the service behind the provider',
      mistake: 'What it allows may still be denied by a DENY or by an ALLOW list that does not fit.',
    },
    'istio-injection': {
      aliases: ['istio.io/rev', 'sidecar.istio.io/inject'],
      layer: 'injection',
      meaning:
        'The labels that decide whether new pods get a proxy: istio-injection or istio.io/rev on the namespace, sidecar.istio.io/inject on the pod.',
      next: 'istioctl x check-inject <pod>.<ns>',
      mistake:
        'They work when a pod is made: pods that were there before stay as they are. With both labels on a namespace istio-injection wins.',
    },
    'istio.io/dataplane-mode': {
      aliases: ['dataplane-mode', 'ambient.istio.io/redirection'],
      layer: 'ambient-ztunnel',
      meaning:
        'The label that puts a namespace or pod into ambient; the annotation ambient.istio.io/redirection on the pod says that it happened.',
      next: 'istioctl ztunnel-config workload (PROTOCOL HBONE: captured)',
      mistake: 'A label without the annotation is a wish: the pod is not captured. Pods with a sidecar never are.',
    },
    'istio.io/use-waypoint': {
      aliases: [
        'use-waypoint',
        'istio.io/use-waypoint-namespace',
        'istio.io/ingress-use-waypoint',
        'ingress-use-waypoint',
      ],
      layer: 'ambient-waypoint',
      meaning:
        'The label that sends traffic for a service, pod or namespace through a waypoint. Gateways do so only with istio.io/ingress-use-waypoint.',
      next: 'istioctl ztunnel-config service (WAYPOINT)',
      mistake: 'Naming a waypoint that is not there lets traffic pass without it: HTTP rules are then not enforced.',
    },
    ZtunnelAccepted: {
      aliases: ['UnsupportedValue'],
      layer: 'ambient-ztunnel',
      meaning:
        'Condition of a policy: whether ztunnel can enforce it. Reason UnsupportedValue: it has HTTP fields, which ztunnel cannot see.',
      next: 'kubectl get authorizationpolicy <name> -n <ns> -o yaml (status.conditions)',
      mistake: 'It is True also with UnsupportedValue: an ALLOW then refuses everything, a DENY does nothing.',
    },
    WaypointAccepted: {
      aliases: ['istio.io/WaypointBound', 'WaypointBound', 'WaypointIsNotReady', 'AncestorNotBound'],
      layer: 'ambient-waypoint',
      meaning:
        'Conditions that say whether a policy (WaypointAccepted) or a service (WaypointBound) has found its waypoint.',
      next: 'istioctl ztunnel-config service (WAYPOINT, ENDPOINTS); kubectl get gateways.gateway.networking.k8s.io -A',
      mistake: 'They may be True while the waypoint has no pod.',
    },
    'kubernetes://…': {
      aliases: ['kubernetes-gateway://…', 'credentialName'],
      layer: 'gateway-tls',
      meaning: 'A certificate that a gateway takes from the Secret of this name, in the gateway’s own namespace.',
      next: 'istioctl proxy-config secret <gateway-pod>.<gw-ns>',
      mistake: 'WARMING means that it never arrived: no Secret of this name there, not readable, or not valid.',
    },
    ROOTCA: {
      aliases: ['root certificate', 'istio-ca-root-cert'],
      layer: 'control-plane-ca',
      meaning:
        'The certificate that others are checked against; all proxies that talk to each other need one in common.',
      next: 'istioctl proxy-config secret <pod>.<ns> (ROOTCA), at both ends',
      mistake: 'A valid workload certificate proves nothing when the other end trusts another root.',
    },
  },
)

/** Ports and listeners of Istio's own. */
export const portWords = vocabulary(
  'glossary',
  {},
  {
    virtualInbound: {
      aliases: ['15006'],
      layer: 'client-sidecar-listener',
      meaning:
        'The listener at 15006 that takes everything sent to the pod. Its filter chains decide TLS, tokens and policies by port.',
      next: 'istioctl proxy-config listeners <pod>.<ns> --port 15006 -o json',
      mistake: 'Logs show the port that was called, not 15006.',
    },
    virtualOutbound: {
      aliases: ['15001'],
      layer: 'client-sidecar-listener',
      meaning:
        'The listener at 15001 that takes everything the pod sends and hands it to the listener of that address or port.',
      next: 'istioctl proxy-config listeners <pod>.<ns> --port <port>',
      mistake: 'What no listener of its own takes ends in PassthroughCluster or BlackHoleCluster.',
    },
    '15012': {
      aliases: ['15010', '15017'],
      layer: 'control-plane',
      meaning:
        'Ports of istiod: 15012 configuration and certificates for proxies, 15017 the webhooks that the API server calls.',
      next: 'kubectl get endpointslices -n istio-system; NetworkPolicies and firewalls on the way',
      mistake: 'They are not on the way of requests: running traffic goes on without them.',
    },
    '15021': {
      layer: 'probes',
      meaning: 'The port at which a proxy says whether it is ready: /healthz/ready.',
      next: 'kubectl describe pod <pod> -n <ns> (events of the readiness probe)',
      mistake: 'A load balancer’s health check against an application port proves nothing of the gateway.',
    },
    '15020': {
      aliases: ['15090'],
      layer: 'observability',
      meaning:
        'Ports of metrics: 15090 of the proxy, 15020 of proxy and application together; kubelet’s probes go through 15020 too.',
      next: 'kubectl get pod <pod> -n <ns> -o yaml (prometheus.io annotations, probes)',
      mistake: 'A scraper that uses the application’s own port is refused under STRICT.',
    },
    '15000': {
      layer: 'observability',
      meaning: 'The admin port of a proxy, open inside the pod only.',
      next: 'istioctl proxy-config all <pod>.<ns>',
      mistake: 'Some of its paths change the proxy: only GET is harmless, and not every GET.',
    },
  },
)

/** Response headers that tell who answered. */
export const headerWords = vocabulary(
  'glossary',
  {},
  {
    'server: istio-envoy': {
      layer: 'gateway-edge',
      meaning: 'The answer passed a gateway, a waypoint, or the server’s proxy towards a caller without one.',
      next: 'x-envoy-upstream-service-time beside it: something behind that proxy answered',
      mistake: 'It does not say that the proxy made the answer.',
    },
    'server: envoy': {
      layer: 'client-sidecar-listener',
      meaning:
        'The answer passed the caller’s own sidecar. Without x-envoy-upstream-service-time that sidecar made it.',
      next: 'The access log of the caller’s proxy',
      mistake: 'It is not the destination’s proxy that names itself here.',
    },
    'x-envoy-upstream-service-time': {
      layer: 'observability',
      meaning: 'A response header: how long the next hop took. Where it is, something behind the proxy answered.',
      next: 'The access log of the next hop',
      mistake: 'That something may be another proxy, not the application.',
    },
    'x-forwarded-for': {
      aliases: ['XFF', 'remoteIpBlocks', 'numTrustedProxies'],
      layer: 'gateway-edge',
      meaning:
        'The request header with the addresses on the way. How many of them are believed is set by numTrustedProxies; remoteIpBlocks of a policy looks at the result.',
      next: 'externalTrafficPolicy of the gateway’s Service; meshConfig.defaultConfig.gatewayTopology',
      mistake:
        'ipBlocks looks at the connection instead: behind a load balancer that is a node’s or the balancer’s address.',
    },
  },
)
