import { fired, type Hit } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { refOf } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { type Refused, refusedConnection } from '../lib/refused-connections.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The pod is there, and nobody listens at the port that the Service leads to. */
export default defineRule({
  code: 'uf-connection-refused',
  layer: 'app',
  severity: 'error',
  explains: ['503', 'reset', '502', 'timeout'],
  title: 'Nothing listens at the port',
  why: 'The request reached the pod, and the connection to the application was refused: the process does not listen there, listens on another port, or only on localhost.',
  needs: [['server.accessLog', 'client.accessLog', 'gateway.accessLog', 'waypoint.accessLog', 'ztunnel.ztunnelLog']],
  yieldsTo: ['uf-localhost-bind', 'uc-pod-shutdown', 'app-before-proxy', 'ambient-ztunnel-down'],
  check(situation) {
    const refused = refusedConnection(situation)
    return refused
      ? fired(refusedHit(situation, refused))
      : signMissing(situation, 'no line speaks of a refused connection')
  },
})

function refusedHit(situation: Situation, { seenBy, pod, port, quotes, often }: Refused): Hit {
  const { server } = situation
  const destination = destinationName(situation)
  const declared = pod?.ports.map((one) => one.port) ?? []
  const isDeclared = port !== null && declared.includes(port)
  const { service } = server
  const name = service ? `Service ${service.object.metadata.namespace}/${service.object.metadata.name}` : null
  const wrongTarget = name !== null && port !== null && declared.length > 0 && !isDeclared
  // Refused at the caller's side means the pod's own network answered; with a proxy in the pod that is no closed application port.
  const isProven = seenBy === 'inbound' || (pod !== null && !pod.hasEnvoy && !pod.terminating)
  const reason = wrongTarget
    ? `${name} leads to port ${port}, and the containers of ${pod ? podLabel(pod) : 'the pod'} declare ${declared.join(', ')}`
    : isDeclared
      ? `the container declares port ${port}, so its process is down, still starting, or listens on localhost only`
      : `nothing listens on port ${port ?? '?'} of the pod`
  return hitOf({
    subject: pod ? podLabel(pod) : destination,
    title: `Nothing listens on port ${port ?? '?'} behind ${destination}`,
    statement: `${seenBy === 'inbound' ? `The request of ${often} arrived at the pod, and the connection to its application was refused` : `The connection of ${often} to ${pod ? podLabel(pod) : 'the destination'} was refused`}: ${reason}.`,
    certainty: isProven ? 'proven' : 'likely',
    supporting: [
      ...quotes,
      ...(service ? [quoteObject(service, 'where the Service leads', { ports: service.object.spec?.ports })] : []),
      ...(pod ? [quote(pod.entry, `ports that ${pod.name} declares`, declared.join(', ') || 'none')] : []),
    ],
    fix:
      wrongTarget && service
        ? editFix(
            refOf(service),
            `Set targetPort of ${name} to the port the application listens on (it declares ${declared.join(', ')}); keep its selector and its other ports.`,
            `every caller of ${name}`,
            'a wrong number leads to another closed port',
          )
        : {
            ...handOver(
              `Find out why the application does not listen on port ${port ?? '?'} of the pod's address: its log, its start, the address it binds to.`,
              pod ? podLabel(pod) : destination,
            ),
            commands: pod ? [`kubectl -n ${pod.namespace} describe pod ${pod.name}`] : [],
          },
    verify: tryAgain(situation, 'an answer of the application'),
    wouldDecide: isProven
      ? null
      : {
          command: pod
            ? `kubectl -n ${pod.namespace} get pod ${pod.name} -o wide`
            : `kubectl get pods -n ${server.namespace ?? 'NAMESPACE'} -o wide`,
          why: 'a pod that restarts or has gone leaves its address behind for a moment',
        },
  })
}
