import { findVirtualHost } from '../../mesh/route-match.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { bareHost } from '../../situation/exchanges.ts'
import { quoteLine } from '../../situation/situation.ts'
import { traceCall } from '../../situation/tracing.ts'
import { defineRule } from '../define-rule.ts'
import { quoteRoutes } from '../lib/gateway-evidence.ts'
import { noRouteLine, routeSearch } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** The Host header carries a port that the gateway's domains do not have. */
export default defineRule({
  code: 'host-header-with-port',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['404'],
  title: 'The Host header carries a port that no virtual host has',
  why: 'Some gateways list a host with the ports they know and do not strip others. A load balancer or client that writes another port into the Host header then meets no virtual host.',
  needs: ['gateway.accessLog', 'gateway.routes'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const line = noRouteLine(situation, 'gateway')
    const authority = line?.record.authority
    if (!line || !authority) return quiet
    const bare = bareHost(authority)
    if (bare === authority) return ruledOut('the Host header carries no port', quoteLine(line, `host ${authority}`))
    const search = routeSearch(situation, 'gateway')
    const table = traceCall(situation, 'gateway')?.config.routes?.find(({ name }) => name === search?.configuration)
    if (!search || !table || findVirtualHost(table, authority)) return quiet
    const host = findVirtualHost(table, bare)
    if (!host || host.name?.startsWith('blackhole:')) return quiet
    return fired({
      subject: authority,
      title: `The gateway knows ${bare}, but not ${authority} with its port`,
      statement: `The request carries Host ${authority}. The gateway has virtual host ${host.name ?? bare} for ${bare}, and it takes the name only without that port.`,
      certainty: 'proven',
      supporting: [quoteLine(line, 'no route for the host with its port'), quoteRoutes(search, `${bare} is known`)],
      contradicting: [],
      fix: {
        statement: `Let the client or load balancer send Host ${bare}; where it cannot, add ${authority} to nothing but the hosts of this VirtualService, or upgrade the gateway.`,
        commands: [],
        scope: `clients that send ${authority}`,
        risk: 'none for clients that send the name without a port',
        undo: 'send the port again',
      },
      verify: tryThroughGateway(situation, bare, 'the status of the application instead of 404'),
      wouldDecide: null,
      about: 'call',
    })
  },
})
