import { vocabulary } from './vocabulary-entry.ts'

/** Every response flag that Envoy knows. Several in one line stand in the order in which they were set. */
export const responseFlags = vocabulary(
  'response-flag',
  {
    side: 'any-proxy',
    doc: 'https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage',
  },
  {
    UH: {
      aliases: ['NoHealthyUpstream'],
      layer: 'kubernetes-endpoints',
      meaning:
        'The cluster exists but has no host the proxy may use: no ready pod, a subset that selects none, or all ejected. The proxy answers 503 itself.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> --cluster "<cluster>"',
      mistake:
        'It is not an undefined subset (that is NC), and with BlackHoleCluster it is egress policy, not missing pods.',
      since: 'Envoy 1.7 or older',
    },
    UF: {
      aliases: ['UpstreamConnectionFailure'],
      layer: 'network',
      meaning:
        'The proxy could not open a connection to the host it chose: refused, no answer, or the TLS handshake failed. The transport failure field says which.',
      next: 'Read the quoted transport failure reason: TLS_error means certificates or TLS mode, refused means nobody listens, a timeout means packets are dropped.',
      mistake:
        'The same flag means different things on the two sides: on an outbound line the pod, on an inbound line the application’s port.',
      since: 'Envoy 1.7 or older',
    },
    UO: {
      aliases: ['UpstreamOverflow'],
      layer: 'client-sidecar-cluster',
      meaning: 'A limit of the caller’s own proxy was reached: connection pool, pending requests or retry budget.',
      next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host> -o json (circuitBreakers), and the DestinationRule’s connectionPool',
      mistake:
        'The server was not asked at all, so its health and its log say nothing about it. Outlier ejection shows as UH, not as UO.',
      since: 'Envoy 1.7 or older',
    },
    NR: {
      aliases: ['NoRouteFound'],
      layer: 'client-sidecar-routing',
      meaning:
        'Nothing in the proxy’s configuration matches. On an HTTP line no virtual host or route fits; on a "- - -" line no filter chain accepts the connection.',
      next: 'HTTP: istioctl proxy-config routes <pod>.<ns> -o json; "- - -": istioctl proxy-config listeners <pod>.<ns> --port 15006 -o json',
      mistake:
        'With filter_chain_not_found it is no routing problem: usually plaintext arrived where only mutual TLS is accepted.',
      since: 'Envoy 1.7 or older',
    },
    URX: {
      aliases: ['UpstreamRetryLimitExceeded'],
      layer: 'client-sidecar-routing',
      meaning:
        'All retries (or connection attempts) are used up. It accompanies the reason of the last attempt; Istio retries twice by default.',
      next: 'Read the flag beside it, and the details: they tell why the last attempt failed.',
      mistake: 'Retries are not the cause. The flag beside it is.',
      since: 'Envoy 1.10',
    },
    NC: {
      aliases: ['NoClusterFound'],
      layer: 'client-sidecar-cluster',
      meaning:
        'A route points at a cluster that this proxy does not have: undefined subset, wrong host, exportTo or Sidecar scope, or a push that has not arrived.',
      next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host>, then kubectl get destinationrules -A',
      mistake:
        'Pods and endpoints are irrelevant here; looking for unhealthy pods is a detour. Behind a Gateway API route it is 500, not 503.',
      since: 'Envoy 1.18',
    },
    DT: {
      aliases: ['DurationTimeout'],
      layer: 'client-sidecar-cluster',
      meaning: 'The connection reached its longest allowed age and was closed.',
      next: 'kubectl get destinationrules -A -o yaml (maxConnectionDuration)',
      mistake: 'It is a configured limit, not a fault of either end.',
      since: 'Envoy 1.16',
    },
    DC: {
      aliases: ['DownstreamConnectionTermination'],
      layer: 'client',
      meaning: 'The caller hung up before the answer was complete.',
      next: 'Compare the duration with the caller’s own timeout (and with idle timeouts of load balancers in front).',
      mistake:
        'The server did not fail here. On a server’s line it is often only the echo of a timeout in the caller’s proxy (504 UT there).',
      since: 'Envoy 1.9',
    },
    LH: {
      aliases: ['FailedLocalHealthCheck'],
      layer: 'probes',
      meaning: 'A health-check filter in this proxy says that the local service is unwell.',
      next: 'istioctl proxy-config listeners <pod>.<ns> -o json: Istio configures no such filter, so an EnvoyFilter does.',
      mistake: 'It has nothing to do with Kubernetes readiness.',
      since: 'Envoy 1.7 or older',
    },
    UT: {
      aliases: ['UpstreamRequestTimeout'],
      layer: 'client-sidecar-routing',
      meaning: 'The proxy waited as long as the route allows, then answered 504 itself.',
      next: 'istioctl proxy-config routes <pod>.<ns> -o json (timeout, perTryTimeout), and compare with the duration in the line',
      mistake:
        'Istio sets no timeout by default: somebody configured one. The server may still be working on the request.',
      since: 'Envoy 1.7 or older',
    },
    LR: {
      aliases: ['LocalReset'],
      layer: 'app',
      meaning:
        'This proxy itself reset the stream towards the upstream, from Envoy 1.32 also when HTTP/1 was half-closed too early.',
      next: 'kubectl logs <pod> -n <ns> for the application at that second',
      mistake: 'Local means this proxy’s codec, not the local machine.',
      since: 'Envoy 1.7 or older',
    },
    UR: {
      aliases: ['UpstreamRemoteReset'],
      layer: 'app',
      meaning:
        'The next hop reset the stream (RST_STREAM in HTTP/2 and gRPC). On newer TCP lines also a reset connection.',
      next: 'The log of the next proxy on the way, same request id',
      mistake: 'On a TCP line towards a STRICT server it is plaintext that was refused, not the application.',
      since: 'Envoy 1.7 or older',
    },
    UC: {
      aliases: ['UpstreamConnectionTermination'],
      layer: 'app',
      meaning:
        'The connection to the next hop was made and then cut before a response. Usual causes, in order: an idle connection the other end had just closed, plaintext sent into a STRICT server, a pod going away, an application that closes.',
      next: 'The server’s own log at the same second: NR there means TLS mode; inbound UC there means the application closed.',
      mistake:
        'It does not prove that the application crashed: plaintext into STRICT looks exactly the same at the caller.',
      since: 'Envoy 1.7 or older',
    },
    DI: {
      aliases: ['DelayInjected'],
      layer: 'client-sidecar-routing',
      meaning: 'A VirtualService delays requests on purpose (fault.delay).',
      next: 'kubectl get virtualservices -A -o yaml (fault)',
      mistake: 'The service is not slow; the mesh was told to be.',
      since: 'Envoy 1.7 or older',
    },
    FI: {
      aliases: ['FaultInjected'],
      layer: 'client-sidecar-routing',
      meaning: 'A VirtualService aborts requests on purpose (fault.abort) with the status seen in the line.',
      next: 'kubectl get virtualservices -A -o yaml (fault)',
      mistake: 'The server never saw the request. Retries of the same VirtualService do not cover injected faults.',
      since: 'Envoy 1.7 or older',
    },
    RL: {
      aliases: ['RateLimited'],
      layer: 'rate-limit',
      meaning: 'A rate limit of this proxy refused the request, usually with 429.',
      next: 'kubectl get envoyfilters -A',
      mistake:
        'When the server’s proxy limits, the caller’s line says 429 via_upstream without RL: look for the flag on the server’s side.',
      since: 'Envoy 1.7 or older',
    },
    UAEX: {
      aliases: ['UnauthorizedExternalService'],
      layer: 'ext-authz',
      meaning: 'An external authorization service (CUSTOM policy) refused the request, or could not be asked.',
      next: 'The details part the two: ext_authz_denied is its decision, ext_authz_error means it was not reachable. Then its own log.',
      mistake: 'ALLOW and DENY policies never set this flag.',
      since: 'Envoy 1.7 or older',
    },
    RLSE: {
      aliases: ['RateLimitServiceError'],
      layer: 'rate-limit',
      meaning: 'The rate-limit service could not be asked, and the filter is set to refuse in that case.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> for the rate-limit service’s cluster',
      mistake: 'Nobody exceeded a limit.',
      since: 'Envoy 1.8',
    },
    IH: {
      aliases: ['InvalidEnvoyRequestHeaders'],
      layer: 'client',
      meaning: 'The request carries an x-envoy-… header with a value that the strict check refuses.',
      next: 'Look at the x-envoy-… headers that the caller sends.',
      mistake: 'The route is fine; the request is refused before it matters.',
      since: 'Envoy 1.11',
    },
    SI: {
      aliases: ['StreamIdleTimeout'],
      layer: 'proxy-limit',
      meaning: 'Nothing moved on the stream for the idle time (5 minutes by default), so the proxy ended it.',
      next: 'istioctl proxy-config listeners <pod>.<ns> -o json (streamIdleTimeout); ask whether the application streams with long pauses.',
      mistake: 'It is not the route’s timeout (UT): activity, not total time, is measured.',
      since: 'Envoy 1.10',
    },
    DPE: {
      aliases: ['DownstreamProtocolError'],
      layer: 'protocol',
      meaning:
        'What the caller sent is not valid HTTP for this listener, or it is TLS on a port that expects plain HTTP.',
      next: 'The details name the problem (http1.…, http2.…, low_version); then the Service’s port name and appProtocol.',
      mistake: 'Such lines often have no method, path or host. Join them by address and time.',
      since: 'Envoy 1.12',
    },
    UPE: {
      aliases: ['UpstreamProtocolError'],
      layer: 'protocol',
      meaning: 'The next hop answered something that is not the protocol this proxy speaks to it. Answered as 502.',
      next: 'kubectl get svc <svc> -n <ns> -o yaml (port name and appProtocol), compared with what the application speaks',
      mistake:
        'The network works; the two ends speak different languages (HTTP/2 to HTTP/1, TLS behind a plain port, invalid response headers).',
      since: 'Envoy 1.18',
    },
    UMSDR: {
      aliases: ['UpstreamMaxStreamDurationReached'],
      layer: 'client-sidecar-routing',
      meaning: 'The stream reached its longest allowed duration.',
      next: 'istioctl proxy-config routes <pod>.<ns> -o json (maxStreamDuration)',
      mistake: 'It is not the request timeout: also healthy long streams are cut.',
      since: 'Envoy 1.15',
    },
    RFCF: {
      aliases: ['ResponseFromCacheFilter'],
      layer: 'extension',
      meaning: 'The response came from a cache filter. Istio configures none.',
      next: 'kubectl get envoyfilters -A',
      mistake: 'No server was asked for this answer.',
      since: 'Envoy 1.15',
    },
    NFCF: {
      aliases: ['NoFilterConfigFound'],
      layer: 'extension',
      meaning:
        'A filter’s configuration (a WasmPlugin, say) has not reached the proxy, so it answers 500 with an empty body.',
      next: 'istioctl proxy-config ecds <pod>.<ns>, and istiod’s and the agent’s log about fetching the module',
      mistake: 'An empty 500 looks like the application, but the application was not asked.',
      since: 'Envoy 1.16',
    },
    OM: {
      aliases: ['OverloadManagerTerminated'],
      layer: 'proxy-resource',
      meaning: 'The proxy is short of resources and sheds load.',
      next: 'kubectl top pod <pod> -n <ns> --containers, and the memory limit of istio-proxy',
      mistake: 'The application may be idle meanwhile.',
      since: 'Envoy 1.19',
    },
    DF: {
      aliases: ['DnsResolutionFailed'],
      layer: 'dns',
      meaning: 'The proxy could not resolve the host’s name.',
      next: 'Resolve the name from the pod, and look at the ServiceEntry’s resolution',
      mistake: 'It is not UH: there was no list of hosts to be unhealthy.',
      since: 'Envoy 1.22',
    },
    DO: {
      aliases: ['DropOverload'],
      layer: 'kubernetes-endpoints',
      meaning:
        'A drop policy delivered with the endpoints told the proxy to drop a share of the requests. Istio sends none by itself.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> -o json, and EnvoyFilters',
      mistake: 'It is not the circuit breaker (UO).',
      since: 'Envoy 1.29',
    },
    DR: {
      aliases: ['DownstreamRemoteReset'],
      layer: 'client',
      meaning: 'The HTTP/2 caller reset its stream: it gave up on this request but kept the connection.',
      next: 'The caller’s timeouts and cancellations',
      mistake: 'Like DC it is the caller’s doing, not the server’s.',
      since: 'Envoy 1.30',
    },
    UDO: {
      aliases: ['UnconditionalDropOverload'],
      layer: 'kubernetes-endpoints',
      meaning: 'A drop policy at 100 % dropped the request.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> -o json, and EnvoyFilters',
      mistake: 'It is not a lack of healthy hosts.',
      since: 'Envoy 1.34',
    },
  },
)
