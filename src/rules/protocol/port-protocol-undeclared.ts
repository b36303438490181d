import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { refOf } from '../lib/front.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** HTTP that proxies carry as plain TCP: no route, no HTTP policy, no HTTP metrics apply. */
export default defineRule({
  code: 'port-protocol-undeclared',
  layer: 'protocol',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'The port does not say that it speaks HTTP',
  why: 'The name or appProtocol of a Service port tells proxies what it speaks. A port called tcp is TCP to them, and one that says nothing is guessed; rules for HTTP then do not apply.',
  needs: ['server.config', ['client.accessLog', 'server.accessLog']],
  applies: ({ server }) => server.service !== null && server.port !== null && server.port.protocol !== 'http',
  check(situation) {
    const { port, service } = situation.server
    if (!port || !service) return quiet
    const http = situation.lines.find(({ record }) => record.kind === 'http' && record.method !== null)
    if (http)
      return ruledOut(
        'the lines of this call have HTTP fields: its protocol is known',
        quoteLine(http, 'method and path stand in the line'),
      )
    const tcp = situation.lines.find(({ record }) => record.kind === 'tcp')
    const isHttpCall = situation.given.path !== null || situation.given.method !== null
    if (!tcp || !isHttpCall) return quiet
    const ref = refOf(service)
    const finding = situation.analyze.find(
      ({ code, origin }) => code === 'IST0118' && origin?.name === ref.name && origin.namespace === ref.namespace,
    )
    return fired(
      hitOf({
        subject: destinationName(situation),
        title: `Proxies carry the HTTP of ${destinationName(situation)} as TCP: its port is called ${port.name ?? 'nothing'}`,
        statement: `Port ${port.port} of Service ${ref.namespace}/${ref.name} is called ${port.name ?? 'nothing'}${port.appProtocol ? ` (appProtocol ${port.appProtocol})` : ''}, and the lines of this HTTP call are those of TCP connections. Routes, retries and policies for HTTP do not apply.`,
        certainty: 'proven',
        supporting: [
          quoteLine(tcp, 'a TCP line for an HTTP call'),
          quoteObject(service, 'what the Service declares', { ports: service.object.spec?.ports }),
          ...(finding
            ? [quote(finding.entry, 'istioctl analyze on the same Service', `${finding.code} ${finding.message}`)]
            : []),
        ],
        fix: editFix(
          ref,
          `Name port ${port.port} http or http-… (or set appProtocol: http) in Service ${ref.namespace}/${ref.name}; keep its number, targetPort and the other ports.`,
          `every caller of ${destinationName(situation)} on this port`,
          'rules and policies for HTTP that did not count so far begin to count',
        ),
        verify: tryAgain(situation, 'a new log line with method and path'),
      }),
    )
  },
})
