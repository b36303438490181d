import { vocabulary } from './vocabulary-entry.ts'

/** First word inside `upstream_reset_before_response_started{…}`, and the end of the body that the caller sees. */
export const resetReasons = vocabulary(
  'reset-reason',
  { side: 'any-proxy' },
  {
    remote_connection_failure: {
      aliases: ['connection_failure', 'remote connection failure'],
      layer: 'network',
      meaning: 'The connection could not be made: the other end refused, closed at once, or the TLS handshake failed.',
      next: 'Read what follows it: TLS_error, Connection refused, or nothing (then the peer closed while connecting: NetworkPolicy, node).',
      mistake: 'Without the text after it the word alone does not part TLS from a closed port.',
    },
    local_connection_failure: {
      layer: 'network',
      meaning:
        'This proxy could not even start the connection: no free local port, or an address family that the pod lacks.',
      next: 'The immediate_connect_error text in the same line, and the number of connections of the pod',
      mistake: 'The server is not involved.',
    },
    connection_timeout: {
      aliases: ['connection timeout'],
      layer: 'network',
      meaning: 'No answer to the connection attempt within the connect timeout: packets are dropped on the way.',
      next: 'kubectl get networkpolicy -n <ns>; port 15008 as well, if the workload is ambient',
      mistake: 'A slow application does not cause it: the application was not reached.',
    },
    connection_termination: {
      aliases: ['connection termination'],
      layer: 'app',
      meaning: 'The connection was made and then closed by the other end before a response.',
      next: 'The server’s proxy log at the same second: NR means TLS mode, UC on inbound means the application, no line means a refused certificate or no proxy.',
      mistake: 'It is not proof of an application crash: a STRICT server does the same to plaintext.',
    },
    remote_reset: {
      aliases: ['remote reset'],
      layer: 'app',
      meaning: 'The HTTP/2 peer reset this stream and kept the connection.',
      next: 'The next hop’s log with the same request id',
      mistake: 'The connection is healthy; only this request was cut.',
    },
    'remote_reset_(no_error)': {
      layer: 'app',
      meaning: 'The peer finished its response early and reset the rest of the stream without an error.',
      next: 'The next hop’s log with the same request id',
      mistake: 'The peer does not consider it a failure.',
      since: 'Envoy 1.39',
    },
    remote_refused_stream_reset: {
      layer: 'app',
      meaning: 'The HTTP/2 peer refused the stream before it worked on it. Safe to retry.',
      next: 'Is the peer shutting down, or at its limit of concurrent streams?',
      mistake: 'The request was not processed, so it is no duplicate when repeated.',
    },
    local_reset: {
      aliases: ['local reset'],
      layer: 'app',
      meaning: 'This proxy reset the stream itself.',
      next: 'Application log at that second; duration against limits',
      mistake: 'It is not the peer’s reset.',
    },
    local_refused_stream_reset: {
      layer: 'client-sidecar-cluster',
      meaning: 'This proxy refused to open another stream on the connection.',
      next: 'connectionPool.http of the DestinationRule',
      mistake: 'The server was not asked.',
    },
    overflow: {
      layer: 'client-sidecar-cluster',
      meaning: 'A connection-pool limit of this proxy was reached.',
      next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host> -o json (circuitBreakers)',
      mistake: 'The server did not refuse anything.',
    },
    protocol_error: {
      aliases: ['protocol error'],
      layer: 'protocol',
      meaning: 'The next hop’s answer is not the protocol that this proxy expects.',
      next: 'kubectl get svc <svc> -n <ns> -o yaml (port name, appProtocol)',
      mistake: 'Not a TLS mode problem, unless the port’s name hides TLS.',
    },
    remote_error_with_CONNECT_request: {
      layer: 'ambient-waypoint',
      meaning: 'The far end of an HBONE tunnel refused the CONNECT request.',
      next: 'ztunnel’s log on the destination’s node',
      mistake: 'The application was not reached.',
    },
    overload_manager_reset: {
      layer: 'proxy-resource',
      meaning: 'The proxy is short of memory or connections and dropped the stream.',
      next: 'kubectl top pod <pod> -n <ns> --containers',
      mistake: 'The application is not the one that is overloaded.',
    },
    'HTTP/1_premature_upstream_half_close': {
      layer: 'app',
      meaning: 'The next hop closed its half of an HTTP/1 connection before the request was complete.',
      next: 'Application log at that second',
      mistake: 'It is not a TLS problem.',
      since: 'Envoy 1.32',
    },
  },
)
