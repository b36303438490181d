import { type Fix, fired, quiet, ruledOut } from '../../model/finding.ts'
import { bareHost, type Line } from '../../situation/exchanges.ts'
import { hostMatches } from '../../situation/gateway-hosts.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { traceCall } from '../../situation/tracing.ts'
import { defineRule } from '../define-rule.ts'
import { failingLines } from '../lib/deciding-line.ts'
import { servedCredentials, tlsServers } from '../lib/gateway-credentials.ts'
import { hostOfCall, istioGateways, nameOfStored, serversOf } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** No server of the gateway takes the name in the handshake, or there was none. */
export default defineRule({
  code: 'ingress-sni-mismatch',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The name in the handshake fits no server of the gateway',
  why: 'The gateway chooses a certificate by the server name (SNI) in the handshake. A caller that sends none (an IP address, an old load balancer) or another one than the hosts of the Gateway is closed with NR filter_chain_not_found.',
  needs: [['gateway.accessLog', 'gateway.listeners']],
  yieldsTo: [
    'ingress-credential-missing',
    'ingress-credential-unauthorized',
    'ingress-credential-invalid',
    'ingress-cert-expired',
    'ingress-client-cert',
    'ingress-gateway-conflict',
    'passthrough-with-http-routes',
    'gateway-port-not-exposed',
    'proxy-nack-error',
    'proxy-stale-or-disconnected',
  ],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: (situation) =>
    situation.gateway !== null &&
    (situation.symptom === 'tls' || situation.hints.port === 443 || refusedLine(situation) !== null),
  check(situation) {
    const line = refusedLine(situation)
    const traced = traceCall(situation, 'gateway')
    const chain = traced?.trace.steps.find(({ kind }) => kind === 'filter-chain')
    const asked = line ? (line.record.sni?.toLowerCase() ?? null) : hostOfCall(situation, null)
    // Whoever was seen to name the host in the handshake is not one of those that name none.
    if (line && asked === null && namedItself(situation)) return quiet
    if (!line && chain && !chain.broken?.details)
      return ruledOut(
        `a server of the gateway takes ${asked ?? 'this name'}`,
        quote(
          traced?.entries.listeners ?? '',
          'the filter chain for this name',
          JSON.stringify(chain.facts.match ?? null),
        ),
      )
    const unmatched = chain?.broken?.details === 'filter_chain_not_found'
    if (!line && !unmatched) return quiet
    // A certificate that is not there closes without a line; this line says that no server was chosen at all.
    const known = tlsNames(situation)
    const served =
      asked !== null &&
      tlsServers(situation).some(({ hosts }) => hosts.some((host) => hostMatches(bareName(host), asked)))
    if (line && served && !unmatched) return quiet
    const proven = line !== null && (asked === null ? nothingElseFails(situation, line) : !served)
    const who = asked === null ? 'no server name at all' : `server name ${asked}`
    return fired({
      subject: asked ?? 'handshakes without a server name',
      title: `The handshake carries ${who}, and no server of the gateway takes that`,
      statement: `${
        line
          ? `The gateway closed the handshake (filter_chain_not_found): it carried ${who}`
          : `The gateway has no filter chain for ${who}`
      }. Its TLS servers take ${known.length > 0 ? known.join(', ') : 'no name that was read'}.${
        asked === null
          ? ' A caller that dials an IP address, or a balancer that does not pass the name on, sends none; plaintext sent to this port looks the same.'
          : ''
      }`,
      certainty: proven ? 'proven' : 'likely',
      supporting: [
        ...(line ? [quoteLine(line, `closed before any certificate was shown; it carried ${who}`)] : []),
        ...(unmatched && traced?.entries.listeners
          ? [quote(traced.entries.listeners, 'no filter chain of the listener takes it', chain?.broken?.why ?? null)]
          : []),
        ...istioGateways(situation)
          .slice(0, 3)
          .map((gateway) =>
            quoteObject(
              gateway,
              `hosts of Gateway ${nameOfStored(gateway)}`,
              serversOf(gateway).map(({ hosts, port }) => ({ hosts, port })),
            ),
          ),
      ],
      contradicting: [],
      fix: fixFor(situation, asked),
      verify: tryThroughGateway(situation, asked ?? known[0] ?? 'HOST', 'a status instead of a failed handshake'),
      wouldDecide: proven
        ? null
        : {
            command: line
              ? `openssl s_client -connect ${hostOfCall(situation, null) ?? 'HOST'}:443 -servername ${hostOfCall(situation, null) ?? 'HOST'}`
              : `kubectl logs ${traced ? `-n ${traced.pod.namespace} ${traced.pod.name}` : 'GATEWAY-POD'} -c istio-proxy --tail=200`,
            why: line
              ? 'if a handshake with the name succeeds and one without -servername does not, the missing name is the cause'
              : 'a line filter_chain_not_found with this server name would prove it',
          },
      about: 'call',
    })
  },
})

function refusedLine(situation: Situation): Line | null {
  return (
    failingLines(
      situation,
      ({ role, record }) =>
        role === 'gateway' && record.flags.includes('NR') && record.details === 'filter_chain_not_found',
    ).at(-1) ?? null
  )
}

/** curl names the host of its URL in the handshake, unless it is an address. */
function namedItself({ pasted }: Situation): boolean {
  const host = pasted.curl?.sni ?? pasted.curl?.host ?? null
  return host !== null && !/^[\d.]+$|:.*:/.test(bareHost(host))
}

/**
 * Handshakes without a name come from anywhere on a public port. They are this call's where it was handed in, or where the
 * certificate is there and nothing else is left to fail in a handshake for the host.
 */
function nothingElseFails(situation: Situation, line: Line): boolean {
  const credentials = servedCredentials(situation)
  return line.isMeant === true || credentials.length === 0 || credentials.every(({ atProxy }) => atProxy === 'active')
}

function bareName(pattern: string): string {
  return bareHost(pattern.includes('/') ? pattern.slice(pattern.indexOf('/') + 1) : pattern).toLowerCase()
}

function tlsNames(situation: Situation): readonly string[] {
  const servers = istioGateways(situation).flatMap(serversOf)
  return [...new Set(servers.filter(({ tlsMode }) => tlsMode !== null).flatMap(({ hosts }) => hosts.map(bareName)))]
}

function fixFor(situation: Situation, asked: string | null): Fix {
  const [gateway] = istioGateways(situation)
  if (asked === null)
    return {
      statement:
        'Let the caller dial the host name, or let the load balancer pass TLS through with its server name; where that cannot be, one TLS server with hosts "*" takes handshakes without a name.',
      commands: [],
      scope: 'callers that send no server name',
      risk: 'a server with hosts "*" also answers names nobody meant to serve, with its one certificate',
      undo: 'take that server out again',
    }
  return {
    statement: `If ${asked} is meant to be served, add it to the hosts of a TLS server${gateway ? ` of Gateway ${nameOfStored(gateway)}` : ''} whose certificate covers it; leave the other hosts as they are. If not, the caller uses the wrong name.`,
    commands: gateway
      ? [
          `kubectl -n ${gateway.object.metadata.namespace} edit gateways.networking.istio.io ${gateway.object.metadata.name}`,
        ]
      : [],
    scope: `handshakes for ${asked}`,
    risk: 'callers see a certificate warning if the certificate does not cover the name',
    undo: 'take the host out again',
  }
}
