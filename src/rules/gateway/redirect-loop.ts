import { fired, quiet } from '../../model/finding.ts'
import { quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hostOfCall, nameOfStored, serversFor } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** TLS ends before the gateway, which sees plain HTTP and redirects to HTTPS again and again. */
export default defineRule({
  code: 'redirect-loop',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['unknown', '404'],
  title: 'Redirects to the same address without end',
  why: 'A server with httpsRedirect answers every plain request with a redirect to HTTPS. Behind a load balancer that ends TLS, every request arrives plain, and callers turn in a circle.',
  needs: ['gateway.accessLog', ['server.config', 'gateway.published']],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const redirects = situation
      .linesAt('gateway')
      .filter(({ record }) => (record.code === 301 || record.code === 308) && record.upstreamHost === null)
    const last = redirects.at(-1)
    if (!last) return quiet
    const same = redirects.filter(
      ({ record }) => record.path === last.record.path && record.authority === last.record.authority,
    )
    const others = situation
      .linesAt('gateway')
      .some(({ record }) => record.authority === last.record.authority && record.upstreamHost !== null)
    const server = serversFor(situation, hostOfCall(situation, last)).find(({ httpsRedirect }) => httpsRedirect)
    if (same.length < 3 || others || !server) return quiet
    const host = hostOfCall(situation, last) ?? 'this host'
    const gateway = nameOfStored(server.gateway)
    return fired({
      subject: `Gateway ${gateway}`,
      title: `Gateway ${gateway} redirects ${host}${last.record.path ?? ''} to HTTPS every time: TLS seems to end before it`,
      statement: `The gateway answered ${same.length} requests for ${host}${last.record.path ?? ''} with a redirect and passed none on. Server ${server.index} of Gateway ${gateway} has httpsRedirect, and what calls it does not come back over TLS.`,
      certainty: 'likely',
      supporting: [
        quoteLine(last, `${same.length} redirects for one address`),
        quoteObject(server.gateway, `server ${server.index} redirects`, server.written),
      ],
      contradicting: [],
      fix: {
        statement: `Where a load balancer ends TLS before the gateway, take httpsRedirect off server ${server.index} of Gateway ${gateway}, and redirect at the balancer instead; leave its hosts as they are.`,
        commands: [
          `kubectl -n ${server.gateway.object.metadata.namespace} edit gateways.networking.istio.io ${quoted(server.gateway.object.metadata.name)}`,
        ],
        scope: `plain requests for ${server.hosts.join(', ')}`,
        risk: 'plain requests are answered instead of redirected, also those that come past the balancer',
        undo: 'set httpsRedirect again',
      },
      verify: tryThroughGateway(situation, host, 'the status of the application after at most one redirect'),
      wouldDecide: {
        command: `curl -sIL --max-redirs 5 'https://${host}/'`,
        why: 'a Location that leads back to the same address proves the loop',
      },
      about: 'call',
    })
  },
})
