import { vocabulary } from './vocabulary-entry.ts'

/** Status codes as they appear in meshes. Each of them can be made by a proxy or by the application. */
export const httpStatuses = vocabulary(
  'http-status',
  {},
  {
    '0': {
      layer: 'client',
      meaning: 'No HTTP status: a TCP connection, a refused connection, or a request that ended before any response.',
      next: 'The flag and the details of the line',
      mistake: 'In a TCP line 0 is normal.',
    },
    '200': {
      aliases: ['HTTP 200'],
      layer: 'app',
      meaning: 'Success. For gRPC it says nothing: the outcome is in grpc-status.',
      next: 'Flag and details: a gRPC call that a proxy failed is logged as 200 with a flag.',
      mistake: 'Filtering logs for ≥ 400 hides failed gRPC calls.',
    },
    '400': {
      aliases: ['HTTP 400', 'Bad Request'],
      layer: 'protocol',
      meaning: 'Malformed request: with flag DPE a proxy says so, with via_upstream the next hop.',
      next: 'Details (http1.…)',
      mistake: 'TLS sent to a plain port gives 400, too.',
    },
    '401': {
      aliases: ['HTTP 401', 'Unauthorized'],
      layer: 'request-authn',
      meaning: 'A token was refused by the JWT filter, by an external authorization service, or by the application.',
      next: 'The server side’s details: jwt_authn_access_denied{…}, UAEX, or via_upstream',
      mistake: 'A missing token is no 401 in Istio: it passes request authentication and may become 403.',
    },
    '403': {
      aliases: ['HTTP 403', 'Forbidden'],
      layer: 'authz',
      meaning: 'Refused by an authorization policy, an external service, a JWT audience, or the application.',
      next: 'The server side’s details part these four',
      mistake: 'At the caller’s proxy all of them are "403 via_upstream".',
    },
    '404': {
      aliases: ['HTTP 404', 'Not Found'],
      layer: 'gateway-routing',
      meaning: 'No route (flag NR, some proxy), or the application does not know the path (via_upstream).',
      next: 'Flag NR? Then istioctl proxy-config routes of the proxy that wrote it',
      mistake: 'A rewrite in a VirtualService makes it the application’s 404.',
    },
    '408': {
      aliases: ['HTTP 408', 'Request Timeout'],
      layer: 'proxy-limit',
      meaning: 'The caller was too slow in sending, or the stream was idle.',
      next: 'Details: stream_idle_timeout, request_overall_timeout',
      mistake: 'Not the server’s slowness (504).',
    },
    '413': {
      aliases: ['HTTP 413', 'Payload Too Large'],
      layer: 'proxy-limit',
      meaning: 'The body is larger than a filter buffers, or than the application takes.',
      next: 'Details: request_payload_too_large or via_upstream',
      mistake: 'Istio sets no body limit by itself.',
    },
    '426': {
      aliases: ['HTTP 426', 'Upgrade Required'],
      layer: 'protocol',
      meaning: 'The caller speaks HTTP/1.0 and a proxy refuses that.',
      next: 'Set HTTP/1.1 on the caller',
      mistake: 'It is not about TLS or WebSockets.',
    },
    '429': {
      aliases: ['HTTP 429', 'Too Many Requests'],
      layer: 'rate-limit',
      meaning: 'A rate limit, of a proxy (flag RL) or of the application.',
      next: 'Flag RL on the server’s line? Then kubectl get envoyfilters -A',
      mistake: 'Circuit breaking is 503 UO, not 429.',
    },
    '431': {
      aliases: ['HTTP 431', 'Request Header Fields Too Large'],
      layer: 'proxy-limit',
      meaning: 'The request’s headers are too large or too many.',
      next: 'Cookies and tokens',
      mistake: 'The line has no method, path or host: join by address and time.',
    },
    '500': {
      aliases: ['HTTP 500', 'Internal Server Error'],
      layer: 'app',
      meaning:
        'Usually the application. Proxies: FI (injected), NC or direct_response behind a Gateway API route, NFCF, RLSE.',
      next: 'Flag and details on the server’s line',
      mistake: 'An empty body points at a proxy, not at the application.',
    },
    '501': {
      aliases: ['HTTP 501', 'Not Implemented'],
      layer: 'protocol',
      meaning: 'A transfer-encoding that the proxy does not support, or the application’s answer.',
      next: 'Details (http1.invalid_transfer_encoding)',
      mistake: 'The route exists.',
    },
    '502': {
      aliases: ['HTTP 502', 'Bad Gateway'],
      layer: 'protocol',
      meaning:
        'The next hop spoke another protocol (UPE), a host outside the registry (direct_response, route block_all), or something in front of the mesh.',
      next: 'Flag, details and route name of the line',
      mistake: 'With block_all nobody was called.',
    },
    '503': {
      aliases: ['HTTP 503', 'Service Unavailable'],
      layer: 'network',
      meaning:
        'A proxy could not get an answer, or passed one on. The flag tells more than the number: UH no endpoints, NC no cluster, UF no connection, UC cut, UO limit.',
      next: 'Who answered? The caller’s flag first, then the server’s line',
      mistake: 'It seldom is the application’s own answer.',
    },
    '504': {
      aliases: ['HTTP 504', 'Gateway Timeout'],
      layer: 'client-sidecar-routing',
      meaning: 'A route’s timeout passed (UT), here or further on (via_upstream).',
      next: 'istioctl proxy-config routes <pod>.<ns> -o json (timeout) at the proxy with UT',
      mistake: 'Istio has no default timeout: someone set it.',
    },
    '507': {
      aliases: ['HTTP 507', 'Insufficient Storage'],
      layer: 'proxy-limit',
      meaning: 'A body was too large to be kept for a retry.',
      next: 'Retry settings; why was a retry needed?',
      mistake: 'No disk is full.',
    },
  },
)

/** grpc-status, by number and by name. */
export const grpcStatuses = vocabulary(
  'grpc-status',
  { doc: 'https://grpc.io/docs/guides/status-codes/' },
  {
    'grpc-status: 1': {
      aliases: ['grpc 1', 'CANCELLED'],
      layer: 'client',
      meaning: 'The caller cancelled.',
      next: 'The caller’s deadline',
      mistake: 'Istio retries it by default where the route allows.',
    },
    'grpc-status: 2': {
      aliases: ['grpc 2', 'UNKNOWN (grpc)'],
      layer: 'app',
      meaning: 'An error without a better name, or an HTTP answer without grpc-status.',
      next: 'Is there an HTTP answer of a proxy behind it?',
      mistake: 'A proxy’s plain HTTP error also becomes this.',
    },
    'grpc-status: 4': {
      aliases: ['grpc 4', 'DEADLINE_EXCEEDED'],
      layer: 'client-sidecar-routing',
      meaning: 'The deadline passed: the caller’s, or the route’s timeout (504 UT).',
      next: 'Flag UT or DC in the logs',
      mistake: 'It does not say whose deadline.',
    },
    'grpc-status: 7': {
      aliases: ['grpc 7', 'PERMISSION_DENIED'],
      layer: 'authz',
      meaning: 'What 403 is for HTTP: a policy or the application.',
      next: 'The server side’s details',
      mistake: 'The log line may say 200.',
    },
    'grpc-status: 8': {
      aliases: ['grpc 8', 'RESOURCE_EXHAUSTED'],
      layer: 'rate-limit',
      meaning: 'A limit: rate limit, message size, or memory.',
      next: 'Flag RL; message size limits of the application',
      mistake: 'Circuit breaking is UNAVAILABLE instead.',
    },
    'grpc-status: 12': {
      aliases: ['grpc 12', 'UNIMPLEMENTED'],
      layer: 'app',
      meaning: 'No such method or service, or a proxy’s 404.',
      next: 'Flag NR in the logs?',
      mistake: 'A missing route looks like a missing method.',
    },
    'grpc-status: 13': {
      aliases: ['grpc 13', 'INTERNAL'],
      layer: 'app',
      meaning: 'An internal error, often a broken HTTP/2 stream.',
      next: 'Flag UR or UPE in the logs',
      mistake: 'Not necessarily the application’s code.',
    },
    'grpc-status: 14': {
      aliases: ['grpc 14', 'UNAVAILABLE'],
      layer: 'network',
      meaning: 'What 503 is for HTTP: no connection, no endpoint, a cut stream.',
      next: 'Flag of the log line (UF, UH, UC) although the status there may be 200',
      mistake: 'Its cause is in the flag, not in the number.',
    },
    'grpc-status: 16': {
      aliases: ['grpc 16', 'UNAUTHENTICATED'],
      layer: 'request-authn',
      meaning: 'What 401 is for HTTP.',
      next: 'jwt_authn_access_denied{…} in the server side’s line',
      mistake: 'Between agent and istiod it means that the CA does not accept the token.',
    },
  },
)

/** Error codes of RST_STREAM and GOAWAY. */
export const http2Errors = vocabulary(
  'http2-error',
  { doc: 'https://www.rfc-editor.org/rfc/rfc9113#section-7' },
  {
    REFUSED_STREAM: {
      layer: 'app',
      meaning: 'The peer did not start on this request: it is safe to repeat.',
      next: 'Is the peer shutting down or at its stream limit?',
      mistake: 'Nothing was processed.',
    },
    ENHANCE_YOUR_CALM: {
      layer: 'proxy-limit',
      meaning: 'The peer finds us too busy: too many pings or resets.',
      next: 'Keep-alive settings of the gRPC caller',
      mistake: 'It is no rate limit of requests.',
    },
    HTTP_1_1_REQUIRED: {
      layer: 'protocol',
      meaning: 'The peer wants HTTP/1.1 for this.',
      next: 'Service port name and appProtocol',
      mistake: 'TLS is fine.',
    },
    PROTOCOL_ERROR: {
      layer: 'protocol',
      meaning: 'The peer says that we broke the rules of HTTP/2.',
      next: 'Which side speaks what on this port',
      mistake: 'Headers copied from HTTP/1 are a usual reason.',
    },
    INTERNAL_ERROR: {
      layer: 'app',
      meaning: 'The peer failed while it handled the stream.',
      next: 'The peer’s log',
      mistake: 'The connection survives.',
    },
    CANCEL: {
      layer: 'client',
      meaning: 'The stream is no longer wanted.',
      next: 'The caller’s timeouts',
      mistake: 'No error by itself.',
    },
    GOAWAY: {
      layer: 'lifecycle',
      meaning: 'The peer wants no new streams on this connection: it is draining.',
      next: 'Rollouts and connection age limits',
      mistake: 'Streams already open may finish.',
    },
  },
)
