import { findVirtualHost } from '../../mesh/route-match.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { bareHost } from '../../situation/exchanges.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { traceCall } from '../../situation/tracing.ts'
import { defineRule } from '../define-rule.ts'
import { istioGateways, nameOfStored, noRouteLine, serversFor } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** A client keeps the connection it opened for one host and asks for another on it, where the gateway has no route for that. */
export default defineRule({
  code: 'http2-coalescing-404',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['404'],
  title: 'A connection opened for one host is reused for another',
  why: 'Browsers reuse an HTTP/2 connection for every host that its certificate covers. The gateway chose its routes by the name in the handshake, so a second host with routes of its own elsewhere gets 404 on that connection.',
  needs: ['gateway.accessLog'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const line = noRouteLine(situation, 'gateway')
    if (!line?.record.authority) return quiet
    const host = bareHost(line.record.authority).toLowerCase()
    const sni = line.record.sni?.toLowerCase() ?? null
    if (sni === null) return quiet
    if (sni === host)
      return ruledOut(
        'the name in the handshake is the name in the request',
        quoteLine(line, `server name and host are both ${host}`),
      )
    const elsewhere = routesElsewhere(situation, line.record.authority)
    const servers = serversFor(situation, host)
    // A host that this gateway serves nowhere is simply missing; the connection has nothing to do with it.
    if (!elsewhere && (situation.has('gateway.routes') || servers.length === 0)) return quiet
    const isShared = line.record.protocol === 'HTTP/2' || line.record.protocol === 'HTTP/3'
    const proven = isShared && elsewhere !== null
    const duplicate = situation.analyze.find(({ code }) => code === 'IST0138')
    const gateways = [...new Set(servers.map(({ gateway }) => gateway))]
    return fired({
      subject: host,
      title: `A connection opened for ${sni} is reused for ${host}, where its routes do not apply`,
      statement: `The gateway logged 404 route_not_found for ${host} on a connection whose handshake named ${sni} (${line.record.protocol ?? 'unknown protocol'}).${
        elsewhere
          ? ` Routes for ${host} do exist, in ${elsewhere.configuration}, which only a handshake for ${host} reaches.`
          : ''
      }`,
      certainty: proven ? 'proven' : 'likely',
      supporting: [
        quoteLine(line, `server name ${sni}, host ${host}`),
        ...(elsewhere
          ? [quote(elsewhere.entry, `routes for ${host} are in ${elsewhere.configuration}`, elsewhere.domains)]
          : []),
        ...(duplicate
          ? [quote(duplicate.entry, 'istioctl analyze says so', `${duplicate.code} ${duplicate.message}`)]
          : []),
        ...gateways
          .slice(0, 2)
          .map((gateway) =>
            quoteObject(gateway, `Gateway ${nameOfStored(gateway)} takes ${host}`, gateway.object.spec?.servers),
          ),
      ],
      contradicting: [],
      fix: {
        statement: `Serve ${sni} and ${host} from one server of one Gateway (a wildcard host with the shared certificate), or give the two hosts certificates that do not cover each other.`,
        commands: istioGateways(situation).map(
          ({ object }) =>
            `kubectl -n ${object.metadata.namespace} get gateways.networking.istio.io ${object.metadata.name} -o yaml`,
        ),
        scope: `TLS connections to ${sni} and ${host}`,
        risk: 'merging servers changes which VirtualServices bind to them; compare hosts before and after',
        undo: 'put the two servers back',
      },
      verify: tryThroughGateway(
        situation,
        host,
        'the status of the application on a fresh connection, and in the browser as well',
      ),
      wouldDecide: proven
        ? null
        : {
            command: `curl -sv -o /dev/null --http2 'https://${host}/'`,
            why: 'a fresh connection that names the host itself succeeds if reuse is the cause',
          },
      about: 'call',
    })
  },
})

function routesElsewhere(
  situation: Situation,
  authority: string,
): { configuration: string; domains: string; entry: string } | null {
  const traced = traceCall(situation, 'gateway')
  const entry = traced?.entries.routes ?? null
  if (!traced || entry === null) return null
  for (const table of traced.config.routes ?? []) {
    const found = table.name?.startsWith('https.') ? findVirtualHost(table, authority) : null
    if (found && !found.name?.startsWith('blackhole:') && !found.domains?.includes('*'))
      return { configuration: table.name ?? '', domains: (found.domains ?? []).join(', '), entry }
  }
  return null
}
