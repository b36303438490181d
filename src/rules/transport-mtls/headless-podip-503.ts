import { fired, quiet } from '../../model/finding.ts'
import { quote, quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { dialsService, isPassedThrough, modeText, quoteMode, refusedPlaintext, transportOf } from '../lib/transport.ts'
import { senderName, tryAgain } from '../lib/words.ts'

/** The caller dials a pod's address: its proxy knows no service behind it and passes the bytes on, unencrypted. */
export default defineRule({
  code: 'headless-podip-503',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'A call to a pod’s address goes out in plaintext',
  why: 'The proxy knows services by name and by their own address. What it does not know goes through PassthroughCluster in plaintext, and STRICT refuses plaintext.',
  needs: [['client.accessLog'], 'server.config'],
  seeAlso: [
    'https://istio.io/latest/docs/ops/common-problems/network-issues/#503-error-while-accessing-headless-services',
  ],
  check(situation) {
    const exchange = situation.failing.findLast(
      ({ client }) => client !== null && isPassedThrough(client) && !dialsService(situation, client),
    )
    const line = exchange?.client
    if (!exchange || !line) return quiet
    const transport = transportOf(situation, exchange)
    if (transport?.accepts?.mode !== 'STRICT') return quiet
    const refused = refusedPlaintext(exchange.server) ? exchange.server : null
    const proven = refused !== null && line.record.upstreamHost !== null
    const dialled = line.record.upstreamHost ?? `${transport.target.ip}:${transport.port}`
    const service = situation.server.service
    const headless = service?.object.spec?.clusterIP === 'None'
    return fired(
      hit({
        subject: `${senderName(situation)} to ${dialled}`,
        title: `${senderName(situation)} calls the pod's address ${dialled}, which goes out in plaintext and meets STRICT`,
        statement: `The caller’s proxy used PassthroughCluster: it knows no service for ${line.record.authority ?? dialled}. ${modeText(transport.accepts)} at ${transport.target.name}.${transport.target.namespace}, so the connection was closed.`,
        certainty: proven ? 'proven' : 'likely',
        supporting: [
          quoteLine(line, 'it went through PassthroughCluster'),
          ...(refused ? [quoteLine(refused, 'the destination’s proxy refused plaintext')] : []),
          quoteMode(situation, transport),
          ...(service && headless ? [quoteObject(service, 'the service is headless', { clusterIP: 'None' })] : []),
          quote(transport.target.entry, 'the pod that has this address', `podIP: ${transport.target.ip ?? ''}`),
        ],
        wouldDecide: proven
          ? null
          : {
              command: `kubectl logs -n ${transport.target.namespace} ${transport.target.name} -c istio-proxy --tail=200`,
              why: 'a line with filter_chain_not_found from the caller’s address proves that plaintext was refused',
            },
        fix: {
          statement: `Let the caller use the name of the Service${headless ? ', or POD.SERVICE for one pod of a headless one,' : ''} instead of the address; leave STRICT as it is.`,
          commands: [],
          scope: 'this caller',
          risk: 'load is then spread over all pods, where one was meant',
          undo: 'use the address again',
        },
        verify: tryAgain(situation, 'an answer, and an outbound cluster in the caller’s log line'),
      }),
    )
  },
})
