import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { nameOfStored } from '../lib/gateways.ts'
import { callerName, tryAgain } from '../lib/words.ts'

/** The Service lives in another cluster only; the caller's cluster has no name for it. */
export default defineRule({
  code: 'mc-service-missing-locally',
  layer: 'dns',
  severity: 'error',
  explains: ['unknown', 'timeout', '502', '503', '404'],
  title: 'The Service does not exist in the caller’s cluster',
  why: 'Names are resolved by the DNS of the caller’s own cluster. A Service that only another cluster has needs a namesake here, or the DNS proxy of the mesh.',
  needs: ['server.config', ['server.analyze', 'client.analyze']],
  seeAlso: ['https://istio.io/latest/docs/ops/diagnostic-tools/multicluster/'],
  check(situation) {
    const { server, given, analyze } = situation
    if (server.service)
      return ruledOut(
        'the Service exists in this cluster',
        quoteObject(server.service, `Service ${nameOfStored(server.service)} is there`),
      )
    const name = given.to?.name ?? server.host?.split('.')[0] ?? null
    if (name === null) return quiet
    const finding = analyze.find(
      ({ code, message, origin }) =>
        code === 'IST0170' && (origin?.name === name || message.includes(`${name}.`) || message.includes(`"${name}"`)),
    )
    if (!finding) return quiet
    const { store, serverNamespace } = situation
    const empty = serverNamespace !== null && store.readable('Service', serverNamespace) === 'yes'
    return fired({
      subject: `Service ${serverNamespace ?? ''}/${name}`,
      title: `Service ${name} is not in the cluster of ${callerName(situation)}`,
      statement: `istioctl analyze reports ${finding.code}: ${finding.message}${empty ? ` Namespace ${serverNamespace} was read and has no Service ${name}.` : ''}`,
      certainty: empty ? 'proven' : 'likely',
      supporting: [
        quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`),
        ...(empty
          ? [
              quote(
                store.entryFor('Service', serverNamespace ?? '') ?? '',
                `Services of ${serverNamespace} were read, and ${name} is none of them`,
              ),
            ]
          : []),
      ],
      contradicting: [],
      fix: {
        statement: `Create Service ${name} in namespace ${serverNamespace ?? '?'} of this cluster too, with the same ports and without pods of its own, or switch on the DNS proxy of the mesh for the caller.`,
        commands: [],
        scope: 'callers in this cluster',
        risk: 'pods here that fit the selector would get calls as well',
        undo: 'delete the Service again',
      },
      verify: tryAgain(situation, 'a name that is found, and an answer'),
      wouldDecide: empty
        ? null
        : {
            command: `kubectl get services -n ${serverNamespace ?? 'NAMESPACE'}`,
            why: `a list without ${name} proves that the Service is missing here; with it, it was created since`,
          },
      about: 'call',
    })
  },
})
