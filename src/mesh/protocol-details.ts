import { vocabulary } from './vocabulary-entry.ts'

const http1 = { side: 'any-proxy' } as const

/** Response code details about HTTP itself: what the caller (or, with UPE, the next hop) sent is not acceptable. */
export const protocolDetails = vocabulary('response-detail', http1, {
  low_version: {
    layer: 'protocol',
    meaning: 'The caller speaks HTTP/1.0, which Istio’s proxies refuse with 426 unless told otherwise.',
    next: 'Set HTTP/1.1 on the caller (nginx: proxy_http_version 1.1; old load balancer probes)',
    mistake:
      'The application does not ask for an upgrade. The line has no method, path or host: join by address and time.',
  },
  'http1.codec_error': {
    layer: 'protocol',
    meaning:
      'What arrived is no HTTP/1 at all: often TLS bytes on a port that is declared as plain HTTP (400, flag DPE).',
    next: 'Does the caller send HTTPS or mutual TLS to this port? Service port name, DestinationRule tls, PeerAuthentication DISABLE',
    mistake: 'It is rarely a broken client library; look for TLS first.',
  },
  'http1.invalid_url': {
    layer: 'client',
    meaning: 'The request line holds a URL that cannot be parsed (400).',
    next: 'The URL as the caller builds it',
    mistake: 'No route was consulted.',
  },
  'http1.headers_too_large': {
    layer: 'proxy-limit',
    meaning: 'All request headers together exceed the proxy’s limit (431; 60 KiB unless configured).',
    next: 'Cookies and tokens in the request; maxRequestHeadersKb in the listener',
    mistake: 'The application’s own header limit is another one. The line has no method, path or host.',
  },
  'http1.too_many_headers': {
    layer: 'proxy-limit',
    meaning: 'More request headers than the proxy allows (431).',
    next: 'Headers that every hop appends to',
    mistake: 'It counts headers, not bytes.',
  },
  'http1.invalid_transfer_encoding': {
    layer: 'protocol',
    meaning: 'A transfer-encoding that Envoy does not support (501).',
    next: 'The caller’s transfer-encoding header; on responses (UPE) the application’s',
    mistake: 'The application may accept it when asked without the proxy.',
  },
  'http1.content_length_and_chunked_not_allowed': {
    layer: 'protocol',
    meaning: 'The message has both content-length and chunked encoding, a smuggling risk that Envoy refuses.',
    next: 'Who sets both headers: caller, or application on responses (UPE)',
    mistake: 'Other servers tolerate it, so it "worked before the mesh".',
  },
  'http1.https_url_on_plaintext_connection': {
    layer: 'protocol',
    meaning: 'A request for an https:// URL came over a plaintext connection (403).',
    next: 'Proxy settings of the caller',
    mistake: 'The 403 is no policy.',
  },
  'http1.…': {
    layer: 'protocol',
    meaning:
      'The HTTP/1 message breaks a rule that the rest of the word names. With DPE the caller sent it, with UPE the next hop.',
    next: 'The flag beside it: DPE points at the caller, UPE at the next hop',
    mistake: 'No policy and no route was involved.',
  },
  'http2.remote_reset': {
    layer: 'client',
    meaning: 'The HTTP/2 caller reset its stream (flag DR).',
    next: 'The caller’s timeouts and cancellations',
    mistake: 'Not an error of the server.',
  },
  'http2.remote_refuse': {
    layer: 'client',
    meaning: 'The HTTP/2 peer refused the stream (flag DR).',
    next: 'The caller’s limits',
    mistake: 'Not an error of the server.',
  },
  'http2.too_many_headers': {
    layer: 'proxy-limit',
    meaning: 'More HTTP/2 headers than the proxy allows.',
    next: 'Headers that every hop appends to',
    mistake: 'It counts headers, not bytes.',
  },
  'http2.invalid.header.field': {
    layer: 'protocol',
    meaning: 'A header that HTTP/2 forbids, often connection-specific ones copied from HTTP/1.',
    next: 'Headers that the caller (DPE) or the application (UPE) sets',
    mistake: 'Over HTTP/1 the same header is accepted.',
  },
  'http2.violation.of.messaging.rule': {
    layer: 'protocol',
    meaning: 'The HTTP/2 peer broke a rule of the protocol.',
    next: 'The peer’s HTTP/2 library',
    mistake: 'No policy was involved.',
  },
  'http2.outbound_frames_flood': {
    layer: 'proxy-limit',
    meaning: 'The peer made the proxy queue too many frames, which looks like an attack; the connection was closed.',
    next: 'A peer that pings or resets very often',
    mistake: 'All streams of that connection end, not only one.',
  },
  'http2.inbound_empty_frames_flood': {
    layer: 'proxy-limit',
    meaning: 'Too many empty frames in a row; the connection was closed.',
    next: 'The peer’s HTTP/2 library',
    mistake: 'All streams of that connection end, not only one.',
  },
  'http2.…': {
    layer: 'protocol',
    meaning: 'The HTTP/2 stream or connection broke a rule that the rest of the word names.',
    next: 'The flag beside it: DPE or DR points at the caller, UPE at the next hop',
    mistake: 'No policy and no route was involved.',
  },
  upgrade_failed: {
    layer: 'protocol',
    meaning: 'The proxy does not allow this upgrade (WebSocket, CONNECT) here (403).',
    next: 'istioctl proxy-config listeners <pod>.<ns> -o json (upgradeConfigs)',
    mistake: 'The 403 is no authorization policy.',
  },
  websocket_handshake_unsuccessful: {
    layer: 'app',
    meaning: 'The application refused the upgrade; the status is its own.',
    next: 'Application log',
    mistake: 'It looks like an Envoy answer but is the application’s.',
    since: 'Envoy 1.39',
  },
  missing_host_header: {
    layer: 'client',
    meaning: 'The request has no Host header (400).',
    next: 'The caller’s request',
    mistake: 'No route was consulted.',
  },
  path_normalization_failed: {
    layer: 'client',
    meaning: 'The path cannot be normalised, for example because of %00 (400).',
    next: 'The path as the caller sends it',
    mistake: 'It can happen in the caller’s own proxy: the server may have no line.',
  },
  request_headers_failed_strict_check: {
    layer: 'client',
    meaning: 'An x-envoy-… header has an unacceptable value (flag IH, 400).',
    next: 'x-envoy-… headers of the caller',
    mistake: 'The route is fine.',
  },
  missing_path_rejected: {
    layer: 'client',
    meaning: 'The request has no path (404).',
    next: 'The caller’s request',
    mistake: 'No route is missing.',
  },
  absolute_path_rejected: {
    layer: 'client',
    meaning: 'The request line holds a whole URL where only a path is allowed (404).',
    next: 'Proxy settings of the caller',
    mistake: 'No route is missing.',
  },
  invalid_path: {
    layer: 'client',
    meaning: 'The path holds characters that are not allowed (404).',
    next: 'The path as the caller sends it',
    mistake: 'No route is missing.',
  },
})
