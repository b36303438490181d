import type { VocabularyEntry } from './vocabulary-entry.ts'
import { vocabulary } from './vocabulary-entry.ts'

/** BoringSSL packs an error as library in the top byte and reason in the low twelve bits. */
const libraries: Readonly<Record<number, string>> = {
  2: 'system',
  4: 'RSA',
  6: 'EVP',
  9: 'PEM',
  11: 'X509',
  12: 'ASN1',
  13: 'CONF',
  14: 'CRYPTO',
  15: 'EC',
  16: 'SSL',
  17: 'BIO',
  20: 'X509V3',
  26: 'ECDSA',
  30: 'CIPHER',
}
const sslLibrary = 16
/** Reasons from here on are TLS alerts that the peer sent, shifted by this number. */
const alertOffset = 1000

const sslReasons: Readonly<Record<number, string>> = {
  125: 'CERTIFICATE_VERIFY_FAILED',
  155: 'HTTPS_PROXY_REQUEST',
  156: 'HTTP_REQUEST',
  184: 'NO_SHARED_CIPHER',
  192: 'PEER_DID_NOT_RETURN_A_CERTIFICATE',
  240: 'UNSUPPORTED_PROTOCOL',
  247: 'WRONG_VERSION_NUMBER',
}

const alerts: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  22: 'record_overflow',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  116: 'certificate_required',
  120: 'no_application_protocol',
}

export interface TlsErrorNumber {
  readonly code: number
  readonly library: string
  readonly reason: number
  /** Name of the reason, or of the alert, where known. */
  readonly name: string | null
  /** Set when the peer rejected us; otherwise this side found the problem. */
  readonly alert: number | null
}

/** Takes a BoringSSL error number apart, as in `TLS_error:|268435581:…`. Null for numbers that are none. */
export function readTlsErrorNumber(code: number): TlsErrorNumber | null {
  const library = Math.floor(code / 2 ** 24)
  const reason = code % 2 ** 12
  if (!Number.isInteger(code) || library < 1 || library > 40 || reason === 0) return null
  const alert = library === sslLibrary && reason >= alertOffset ? reason - alertOffset : null
  const name = alert === null ? (library === sslLibrary ? sslReasons[reason] : undefined) : alerts[alert]
  return { code, library: libraries[library] ?? `library ${library}`, reason, name: name ?? null, alert }
}

/** One sentence about such a number. */
export function tlsErrorSentence(error: TlsErrorNumber): string {
  if (error.alert !== null)
    return `${error.code} is TLS alert ${error.alert} (${error.name ?? 'not one we know'}): the peer rejected us.`
  return `${error.code} is reason ${error.reason}${error.name ? ` (${error.name})` : ''} of the ${error.library} library: this side found the problem.`
}

/** UPSTREAM_TRANSPORT_FAILURE_REASON, and the same texts inside the details' braces. */
export const transportFailures: readonly VocabularyEntry[] = vocabulary(
  'transport-failure',
  { side: 'any-proxy' },
  {
    WRONG_VERSION_NUMBER: {
      layer: 'transport-mtls',
      aliases: ['268435703'],
      meaning:
        'This side spoke TLS and got plaintext back: the destination has no proxy, or its port accepts no mutual TLS.',
      next: 'Has the destination’s pod a proxy? tls.mode in DestinationRules for this host; PeerAuthentication of the port',
      mistake: 'It is no TLS version conflict, despite its name.',
    },
    HTTP_REQUEST: {
      aliases: ['268435612', 'HTTPS_PROXY_REQUEST'],
      layer: 'protocol',
      meaning: 'Plain HTTP arrived on a port that expects TLS.',
      next: 'Who calls this port with http://?',
      mistake: 'The certificate is not at fault.',
    },
    CERTIFICATE_VERIFY_FAILED: {
      aliases: ['268435581'],
      layer: 'control-plane-ca',
      meaning:
        'This side rejected the peer’s certificate: expired, another CA, or not the expected name. From Istio 1.29 the text after it says which.',
      next: 'istioctl proxy-config secret <pod>.<ns>, and istioctl proxy-config rootca-compare <pod>.<ns> <other>.<ns>',
      mistake: 'The server writes no access-log line for it. A missing line is not a missing connection.',
    },
    'CERTIFICATE_VERIFY_FAILED:…certificate_has_expired…': {
      aliases: ['…certificate_has_expired…'],
      layer: 'control-plane-ca',
      meaning: 'The peer’s certificate, or one above it, has expired.',
      next: 'istioctl proxy-config secret <pod>.<ns> of the peer (NOT AFTER)',
      mistake: 'Depth 0 is the workload’s certificate; a higher depth is an intermediate or the root.',
      since: 'Envoy 1.37',
    },
    'CERTIFICATE_VERIFY_FAILED:…SAN_matcher…': {
      aliases: ['verify_cert_failed:_SAN_matcher', '…verify_SAN_list…', '…SAN_matcher…'],
      layer: 'transport-mtls',
      meaning: 'The peer’s certificate is good but carries another identity than expected.',
      next: 'Service accounts of the destination’s pods, subjectAltNames of DestinationRules and ServiceEntries, other pods behind the same address',
      mistake: 'The CA is fine; the name is not.',
      since: 'Envoy 1.37',
    },
    PEER_DID_NOT_RETURN_A_CERTIFICATE: {
      aliases: ['268435648'],
      layer: 'transport-mtls',
      meaning: 'This side asked for a client certificate and got none.',
      next: 'Is the caller outside the mesh, or does its DestinationRule say SIMPLE?',
      mistake: 'Seen in debug logs only: no access-log line is written for it.',
    },
    SSLV3_ALERT_HANDSHAKE_FAILURE: {
      aliases: ['268436496'],
      layer: 'transport-mtls',
      meaning: 'The peer ended the handshake: no parameters in common, or it wants a certificate.',
      next: 'minProtocolVersion and cipher suites of both ends; MUTUAL at the peer',
      mistake: 'The peer decided; look at its configuration, not at ours.',
    },
    SSLV3_ALERT_BAD_CERTIFICATE: {
      aliases: ['268436498', 'TLSV1_ALERT_BAD_CERTIFICATE'],
      layer: 'transport-mtls',
      meaning: 'The peer rejected our certificate.',
      next: 'istioctl proxy-config secret <pod>.<ns> of this side; the CA that the peer trusts',
      mistake: 'Our check of the peer passed; it is about our certificate.',
    },
    SSLV3_ALERT_CERTIFICATE_EXPIRED: {
      aliases: ['268436501'],
      layer: 'control-plane-ca',
      meaning: 'The peer says that our certificate has expired.',
      next: 'istioctl proxy-config secret <pod>.<ns> of this side, then the agent’s log about renewal',
      mistake: 'It is ours that expired, not the peer’s.',
    },
    SSLV3_ALERT_CERTIFICATE_UNKNOWN: {
      aliases: ['268436502'],
      layer: 'transport-mtls',
      meaning:
        'The peer could not accept our identity: Envoy sends this when trust domain or expected name do not fit.',
      next: 'Trust domains of both sides, subjectAltNames',
      mistake: 'Our certificate may be valid and of the right CA.',
    },
    TLSV1_ALERT_UNKNOWN_CA: {
      aliases: ['268436504', 'SSLV3_ALERT_UNKNOWN_CA'],
      layer: 'control-plane-ca',
      meaning: 'The peer does not know the CA that signed our certificate.',
      next: 'istioctl proxy-config rootca-compare <pod>.<ns> <other>.<ns>',
      mistake: 'Restarting the caller does not help while the two ends have different roots.',
    },
    TLSV1_ALERT_PROTOCOL_VERSION: {
      aliases: ['268436526'],
      layer: 'transport-mtls',
      meaning: 'The peer does not accept our TLS version.',
      next: 'minProtocolVersion and maxProtocolVersion of both ends',
      mistake: 'This one is about TLS versions, WRONG_VERSION_NUMBER is not.',
    },
    TLSV1_ALERT_CERTIFICATE_REQUIRED: {
      aliases: ['268436572'],
      layer: 'transport-mtls',
      meaning: 'The peer demands a client certificate and we sent none (TLS 1.3).',
      next: 'tls.mode of the DestinationRule (SIMPLE where MUTUAL or ISTIO_MUTUAL is needed)',
      mistake: 'With TLS 1.3 it may arrive after the handshake and show only as a closed connection.',
    },
    'TLS_error:…': {
      aliases: ['TLS_error', 'TLS error:…', 'TLS_error_end'],
      layer: 'transport-mtls',
      meaning: 'The TLS handshake with the next hop failed. The number and the name after it say how.',
      next: 'istioctl proxy-config cluster <pod>.<ns> --fqdn <host> -o json (transportSocket), and istioctl proxy-config secret <pod>.<ns>',
      mistake: 'Names with ALERT come from the peer; all others were found on this side.',
    },
    Secret_is_not_supplied_by_SDS: {
      layer: 'control-plane-ca',
      meaning: 'This proxy has no certificate yet, so it cannot start TLS.',
      next: 'istioctl proxy-config secret <pod>.<ns>, the agent’s log, and istiod’s CA',
      mistake: 'The peer has nothing to do with it.',
    },
    'delayed_connect_error:_Connection_refused': {
      aliases: ['delayed_connect_error:_111', 'Connection_refused', 'ECONNREFUSED'],
      layer: 'app',
      meaning:
        'Nobody listens on that address and port. On an inbound line: the application’s port is closed or bound to localhost. On an outbound line: the pod is gone or starting.',
      next: 'Inbound: container port against the Service’s targetPort, and the address the application binds. Outbound: istioctl proxy-config endpoints <pod>.<ns>',
      mistake: 'mTLS is not involved: a refusal comes before any handshake.',
    },
    'delayed_connect_error:_No_route_to_host': {
      aliases: ['delayed_connect_error:_113', 'No_route_to_host', 'EHOSTUNREACH'],
      layer: 'network',
      meaning: 'The network says that the address cannot be reached: a dead address, or a firewall that rejects.',
      next: 'Does a pod with this address exist? Node firewall, NetworkPolicy with reject',
      mistake: 'It is an answer of the network, not of the pod.',
    },
    'delayed_connect_error:_Connection_reset_by_peer': {
      aliases: ['delayed_connect_error:_104', 'Connection_reset_by_peer', 'ECONNRESET'],
      layer: 'network',
      meaning: 'The other end accepted and reset at once, while the connection was being set up.',
      next: 'The other end’s proxy log at the same second',
      mistake: 'Something did listen there.',
    },
    'delayed_connect_error:_Connection_timed_out': {
      aliases: ['delayed_connect_error:_110', 'ETIMEDOUT'],
      layer: 'network',
      meaning: 'No answer to the connection attempt: packets are dropped.',
      next: 'kubectl get networkpolicy -n <ns>; cloud firewall rules',
      mistake: 'A refusing port answers at once; silence means something drops.',
    },
    'delayed_connect_error:_Network_is_unreachable': {
      aliases: ['delayed_connect_error:_101', 'Network_is_unreachable', 'ENETUNREACH'],
      layer: 'network',
      meaning: 'The pod has no route to that network, often an IPv6 address in an IPv4 pod.',
      next: 'Address family of the endpoint against that of the pod',
      mistake: 'The destination may be healthy.',
    },
    'delayed_connect_error:…': {
      layer: 'network',
      meaning: 'The connection attempt failed with the named system error (a number up to Envoy 1.30).',
      next: 'The system error: refused, reset, unreachable, timed out',
      mistake: 'Delayed is Envoy’s word for "reported after the call returned".',
    },
    'immediate_connect_error:…': {
      layer: 'network',
      meaning: 'The connection could not even be started: no free local port, wrong address family, or no such socket.',
      next: 'Connections of the pod (port exhaustion), address family of the endpoint',
      mistake: 'No packet was sent; the destination knows nothing of it.',
    },
  },
)
