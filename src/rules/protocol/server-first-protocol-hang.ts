import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { editCommand, refOf, undoEdit } from '../lib/front.ts'
import { hitOf } from '../lib/make-hit.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** Protocols in which the server greets first. */
const greetsFirst: Readonly<Record<number, string>> = {
  21: 'FTP',
  22: 'SSH',
  25: 'SMTP',
  110: 'POP3',
  143: 'IMAP',
  587: 'SMTP',
  1521: 'Oracle',
  3306: 'MySQL',
  5672: 'AMQP',
}

/** A proxy that waits for the first bytes of the caller to guess the protocol, while the caller waits for the server's greeting. */
export default defineRule({
  code: 'server-first-protocol-hang',
  layer: 'protocol',
  severity: 'error',
  explains: ['timeout', 'reset', 'slow'],
  title: 'Both ends wait for the other to speak first',
  why: 'Where a Service does not say what a port speaks, the proxy looks at the first bytes of the caller. In MySQL, SMTP and others the server speaks first, so nobody begins.',
  needs: ['server.config'],
  applies: ({ server }) => server.service !== null && server.port !== null,
  check(situation) {
    const { port, service, portNumber } = situation.server
    if (!port || !service) return quiet
    const name = greetsFirst[port.containerPort ?? 0] ?? greetsFirst[portNumber ?? 0]
    if (port.protocol === 'tcp' || port.protocol === 'tls')
      return name
        ? ruledOut(`the port is declared ${port.protocol}`, quoteObject(service, 'what it declares', port))
        : quiet
    if (!name) return quiet
    const refused = situation.failing.some(({ server }) => server?.record.details === 'filter_chain_not_found')
    if (refused) return quiet
    const ref = refOf(service)
    const answered = situation.passing.length > 0
    if (answered) return quiet
    const what = port.protocol === 'http' ? 'as HTTP' : 'without a protocol'
    return fired(
      hitOf({
        subject: destinationName(situation),
        title: `${destinationName(situation)} declares a ${name} port ${what}`,
        statement: `Port ${port.port} of ${destinationName(situation)} leads to ${port.targetPort}, where ${name} usually lives, and is declared ${what} (${port.name ?? 'no name'}). The proxy waits for ${callerName(situation)} to speak, and ${name} lets the server speak first.`,
        certainty: 'likely',
        supporting: [quoteObject(service, 'what the Service declares', { ports: service.object.spec?.ports })],
        fix: {
          statement: `Name the port tcp-… (or set appProtocol: tcp) in ${ref.kind} ${ref.namespace}/${ref.name}; keep its number, targetPort and the other ports.`,
          commands: [editCommand(ref)],
          scope: `callers of ${destinationName(situation)} on this port`,
          risk: 'HTTP rules and policies no longer apply to this port',
          undo: undoEdit(ref),
        },
        verify: {
          command: `kubectl exec -n ${situation.client.pod?.namespace ?? 'NAMESPACE'} ${situation.client.pod?.name ?? 'POD'} -- curl -m 3 -sv telnet://${destinationName(situation)}`,
          expect: 'the greeting of the server within a second',
        },
        wouldDecide: {
          command: `istioctl proxy-config listeners ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} --port ${port.port}`,
          why: 'a chain for HTTP or for sniffing on this port proves it, if the application is one that speaks first',
        },
      }),
    )
  },
})
