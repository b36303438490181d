import { vocabulary } from './vocabulary-entry.ts'

const envoy = { side: 'any-proxy' } as const

/** RESPONSE_CODE_DETAILS: why this proxy answered what it answered. Read before the flags. */
export const routingDetails = vocabulary('response-detail', envoy, {
  via_upstream: {
    layer: 'app',
    meaning: 'This proxy only passed the answer on. The next hop decided: another proxy, or the application.',
    next: 'The log of the next proxy on the way, same request id. Only a server-side line that says via_upstream points at the application.',
    mistake:
      'On the caller’s line it proves nothing about the application: a 403 or 503 made by the server’s own proxy looks the same.',
  },
  cluster_not_found: {
    layer: 'client-sidecar-cluster',
    meaning: 'The route leads to a cluster that this proxy does not have (flag NC).',
    next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host>, and the subsets of the DestinationRule',
    mistake: 'The destination’s pods do not matter here. Behind a Gateway API route the status is 500.',
  },
  route_not_found: {
    layer: 'gateway-routing',
    meaning: 'No virtual host or route fits this host and path (flag NR, 404).',
    next: 'istioctl proxy-config routes <pod>.<ns> -o json, compared with the authority and path of the line',
    mistake: 'The 404 is not the application’s: it was not asked.',
  },
  route_configuration_not_found: {
    layer: 'control-plane-xds',
    meaning:
      'The listener’s route configuration has not arrived. Envoy defines the word; current releases do not print it.',
    next: 'istioctl proxy-status (RDS of this proxy)',
    mistake: 'It is not a missing route inside a configuration that is there.',
  },
  filter_chain_not_found: {
    layer: 'transport-mtls',
    meaning:
      'No filter chain of the listener accepts this connection, and it was closed before any HTTP. On a server’s proxy without SNI: plaintext arrived where only mutual TLS is accepted. On a gateway: a server name that no Gateway serves.',
    next: 'istioctl proxy-config listeners <pod>.<ns> --port 15006 -o json; then PeerAuthentication, and whether the caller has a proxy',
    mistake: 'NR here is not a missing route, and the caller’s address in the line is the only trace of who called.',
  },
  no_healthy_upstream: {
    layer: 'kubernetes-endpoints',
    meaning: 'The cluster has no usable host (flag UH): none ready, a subset that matches none, or all ejected.',
    next: 'istioctl proxy-config endpoints <pod>.<ns> --cluster "<cluster>"',
    mistake: 'An undefined subset says cluster_not_found instead.',
  },
  maintenance_mode: {
    layer: 'client-sidecar-cluster',
    meaning: 'The cluster was switched to maintenance by a runtime setting of Envoy.',
    next: 'EnvoyFilters and bootstrap overrides of this proxy',
    mistake: 'Kubernetes knows nothing of it.',
  },
  'upstream_reset_before_response_started{…}': {
    aliases: ['upstream_reset_before_response_started'],
    layer: 'network',
    meaning:
      'The attempt ended before the first byte of a response. The braces hold the reason, and after it the transport failure.',
    next: 'Read the reason in the braces: refused, TLS_error, connection_timeout, connection_termination and overflow lead to different places.',
    mistake: 'The separator in the braces is "," up to Envoy 1.30 and "|" after: cut at both.',
  },
  'upstream_reset_after_response_started{…}': {
    aliases: ['upstream_reset_after_response_started'],
    layer: 'app',
    meaning: 'The response had begun when the connection broke: the caller has a status but a cut body.',
    next: 'Application log at that second; restarts of the pod',
    mistake: 'The status in the line may say 200.',
  },
  response_timeout: {
    layer: 'client-sidecar-routing',
    meaning: 'The whole request took longer than the route allows (flag UT, 504).',
    next: 'istioctl proxy-config routes <pod>.<ns> -o json (timeout)',
    mistake: 'A 504 with via_upstream is a different thing: that timeout was further on.',
  },
  upstream_per_try_timeout: {
    layer: 'client-sidecar-routing',
    meaning: 'One attempt took longer than perTryTimeout allows.',
    next: 'retries.perTryTimeout of the VirtualService',
    mistake: 'The caller may have waited several times as long: attempts multiply.',
  },
  upstream_per_try_idle_timeout: {
    layer: 'client-sidecar-routing',
    meaning: 'One attempt was idle for too long.',
    next: 'Retry settings in istioctl proxy-config routes <pod>.<ns> -o json',
    mistake: 'The total time was not the problem.',
  },
  upstream_max_stream_duration_reached: {
    layer: 'client-sidecar-routing',
    meaning: 'The stream reached its longest allowed duration (flag UMSDR).',
    next: 'istioctl proxy-config routes <pod>.<ns> -o json (maxStreamDuration)',
    mistake: 'Long streams are cut even when they are active.',
  },
  direct_response: {
    layer: 'client-sidecar-routing',
    meaning:
      'The route itself holds the answer: a redirect, a directResponse, 502 with route block_all (the host is not in the registry), or 500 for a Gateway API route without a usable backend.',
    next: 'The route name in the line: block_all means REGISTRY_ONLY; otherwise istioctl proxy-config routes <pod>.<ns> -o json',
    mistake: 'Nobody was asked: a 502 here is not a bad upstream.',
  },
  fault_filter_abort: {
    layer: 'client-sidecar-routing',
    meaning: 'A VirtualService aborts requests on purpose (flag FI).',
    next: 'kubectl get virtualservices -A -o yaml (fault)',
    mistake: 'The server has no line for it and nothing to do with it.',
  },
  internal_redirect: {
    layer: 'client-sidecar-routing',
    meaning: 'The proxy followed a redirect itself.',
    next: 'istioctl proxy-config routes <pod>.<ns> -o json',
    mistake: 'The caller does not see the redirect.',
  },
  admin_filter_response: {
    layer: 'proxy-resource',
    meaning: 'The proxy’s own admin interface answered.',
    next: 'Why does this traffic reach the admin port?',
    mistake: 'No service is involved.',
  },
  overload: {
    layer: 'proxy-resource',
    meaning: 'The proxy sheds load because it is short of resources (flag OM).',
    next: 'kubectl top pod <pod> -n <ns> --containers',
    mistake: 'The application may be idle.',
  },
  drop_overload: {
    layer: 'kubernetes-endpoints',
    meaning: 'A drop policy in the endpoints’ configuration dropped the request (flag DO).',
    next: 'istioctl proxy-config endpoints <pod>.<ns> -o json',
    mistake: 'Istio sends no such policy by itself.',
    since: 'Envoy 1.29',
  },
  unconditional_drop_overload: {
    layer: 'kubernetes-endpoints',
    meaning: 'A drop policy at 100 % dropped the request (flag UDO).',
    next: 'istioctl proxy-config endpoints <pod>.<ns> -o json',
    mistake: 'It is not a lack of healthy hosts.',
    since: 'Envoy 1.34',
  },
})

/** Ends and limits of connections and streams. */
export const limitDetails = vocabulary('response-detail', envoy, {
  downstream_remote_disconnect: {
    layer: 'client',
    meaning: 'The caller closed the connection before the answer was complete (flag DC).',
    next: 'Compare the duration with the caller’s timeout',
    mistake:
      'The server is not at fault. With 504 UT in the caller’s proxy for the same request id it is that proxy that left.',
  },
  'downstream_local_disconnect(…)': {
    aliases: ['downstream_local_disconnect'],
    layer: 'lifecycle',
    meaning: 'This proxy closed the caller’s connection; the parentheses say why (drain, ping timeout, …).',
    next: 'Was the pod going away, or its listener being replaced?',
    mistake: 'It is not the caller’s doing.',
  },
  duration_timeout: {
    layer: 'client-sidecar-cluster',
    meaning: 'The connection reached its longest allowed age (flag DT).',
    next: 'maxConnectionDuration in DestinationRules',
    mistake: 'A configured limit, not a fault.',
  },
  stream_idle_timeout: {
    layer: 'proxy-limit',
    meaning: 'Nothing moved on the stream for the idle time (flag SI).',
    next: 'streamIdleTimeout in istioctl proxy-config listeners <pod>.<ns> -o json',
    mistake: 'Not the route’s timeout.',
  },
  request_overall_timeout: {
    layer: 'proxy-limit',
    meaning: 'The caller took too long to send the whole request. No flag is set.',
    next: 'requestTimeout in istioctl proxy-config listeners <pod>.<ns> -o json; is the upload slow?',
    mistake: 'The server’s speed does not matter here.',
  },
  request_header_timeout: {
    layer: 'proxy-limit',
    meaning: 'The caller took too long to send the headers. No flag is set.',
    next: 'requestHeadersTimeout in istioctl proxy-config listeners <pod>.<ns> -o json',
    mistake: 'The server’s speed does not matter here.',
  },
  max_duration_timeout: {
    layer: 'proxy-limit',
    meaning: 'The stream reached the listener’s longest duration. No flag is set.',
    next: 'maxStreamDuration in istioctl proxy-config listeners <pod>.<ns> -o json',
    mistake: 'A configured limit, not a fault of the server.',
  },
  request_payload_too_large: {
    layer: 'proxy-limit',
    meaning: 'The request body is larger than a filter is allowed to buffer (413).',
    next: 'EnvoyFilters, WasmPlugins and CUSTOM policies that read bodies',
    mistake: 'Without a buffering filter Envoy has no body limit: the limit was added.',
  },
  response_payload_too_large: {
    layer: 'proxy-limit',
    meaning: 'The response body is larger than a filter is allowed to buffer (500).',
    next: 'EnvoyFilters and WasmPlugins that read response bodies',
    mistake: 'The application answered well; the filter could not hold it.',
  },
  request_payload_exceeded_retry_buffer_limit: {
    layer: 'proxy-limit',
    meaning: 'A retry needed the request body again, and it was too large to keep (507).',
    next: 'Retry settings of the route',
    mistake: 'The first attempt failed for another reason: look for that.',
  },
  early_connect_data: {
    layer: 'protocol',
    meaning: 'The caller sent data on a CONNECT before it was accepted.',
    next: 'The caller’s tunnelling code',
    mistake: 'Not a policy decision.',
    since: 'Envoy 1.37',
  },
  'filter_removed_required_response_headers{…}': {
    aliases: ['filter_removed_required_response_headers'],
    layer: 'extension',
    meaning: 'A filter (Wasm or Lua) removed headers that a response must have (502).',
    next: 'kubectl get wasmplugins,envoyfilters -A',
    mistake: 'The application’s response was good.',
  },
  'filter_added_invalid_…': {
    aliases: [
      'filter_added_invalid_request_headers',
      'filter_added_invalid_response_headers',
      'filter_removed_required_request_headers{…}',
    ],
    layer: 'extension',
    meaning: 'A filter (Wasm or Lua) made the headers invalid (502).',
    next: 'kubectl get wasmplugins,envoyfilters -A',
    mistake: 'Neither caller nor application sent that header.',
  },
})
