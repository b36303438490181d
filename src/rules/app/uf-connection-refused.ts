import { fired, type Hit } from '../../model/finding.ts'
import { ipOf } from '../../situation/hints.ts'
import { type PodView, podLabel } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { refOf } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { applicationPorts, type Refused, refusedConnection, refusedLater } from '../lib/refused-connections.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The pod is there, and nobody listens at the port that the Service leads to. */
export default defineRule({
  code: 'uf-connection-refused',
  layer: 'app',
  severity: 'error',
  explains: ['503', 'reset', '502', 'timeout'],
  title: 'Nothing listens at the port',
  why: 'The request reached the pod, and the connection to the application was refused: the process does not listen there, listens on another port, or only on localhost.',
  needs: [
    [
      'server.accessLog',
      'client.accessLog',
      'gateway.accessLog',
      'waypoint.accessLog',
      'ztunnel.ztunnelLog',
      'server.config',
    ],
  ],
  yieldsTo: ['uf-localhost-bind', 'uc-pod-shutdown', 'app-before-proxy', 'ambient-ztunnel-down'],
  check(situation) {
    const refused = refusedConnection(situation)
    if (refused) return fired(refusedHit(situation, refused))
    const later = refusedLater(situation)
    return later
      ? fired({ ...refusedHit(situation, later), about: 'next' })
      : signMissing(situation, 'no line speaks of a refused connection')
  },
})

/** `All 9 logged requests`, `5 of the 15 …`. */
function sentenceStart(often: string): string {
  return `${often.charAt(0).toUpperCase()}${often.slice(1)}`
}

function seenWords({ seenBy, often }: Refused, where: string): string {
  switch (seenBy) {
    case 'inbound':
      return `${sentenceStart(often)} arrived at ${where}, and the connection to its application was refused`
    case 'body':
      return `${sentenceStart(often)} arrived at ${where}, and the connection to its application failed, as the length of the answer tells`
    case 'caller':
      return `${sentenceStart(often)} went to ${where}, and the connection was refused`
    case 'ports':
      return 'No request of this call was seen to get that far, and the Service looks as if it leads nowhere'
  }
}

/** Replicas that answer requests of this call while one of them refuses. */
function answeringPods(situation: Situation, refusing: PodView): readonly string[] {
  const answered = situation.passing.flatMap(({ client, gateway, server }) => {
    const address = ipOf((client ?? gateway)?.record.upstreamHost ?? null)
    const pod = server?.pod ?? situation.podByIp(address)
    return pod && pod.name !== refusing.name ? [pod.name] : []
  })
  return answered.length > 0 && !answered.includes(refusing.name) ? [...new Set(answered)].sort() : []
}

function refusedHit(situation: Situation, refused: Refused): Hit {
  const { seenBy, pod, port, quotes } = refused
  const { server } = situation
  const destination = destinationName(situation)
  const declared = applicationPorts(pod)
  const isDeclared = port !== null && declared.includes(port)
  const { service } = server
  const name = service ? `Service ${service.object.metadata.namespace}/${service.object.metadata.name}` : null
  const wrongTarget = name !== null && port !== null && declared.length > 0 && !isDeclared
  // Refused at the caller's side means the pod's own network answered; with a proxy in the pod that is no closed application port.
  const isProven = seenBy === 'inbound' || (seenBy === 'caller' && pod !== null && !pod.hasEnvoy && !pod.terminating)
  const reason = wrongTarget
    ? `${name} leads to port ${port}, and the containers of ${pod ? podLabel(pod) : 'the pod'} declare ${declared.join(', ')}`
    : isDeclared
      ? `the container declares port ${port}, so its process is down, still starting, or listens on localhost only`
      : `nothing listens on port ${port ?? '?'} of the pod`
  const others = pod ? answeringPods(situation, pod) : []
  const where = pod && others.length > 0 ? `pod ${pod.name}` : pod ? podLabel(pod) : 'the destination'
  const elsewhere =
    others.length > 0 ? ` ${others.join(', ')} of the same Service ${others.length === 1 ? 'answers' : 'answer'}.` : ''
  return hitOf({
    subject: pod ? podLabel(pod) : destination,
    title:
      `${seenBy === 'ports' ? 'Perhaps nothing' : 'Nothing'} listens on port ${port ?? '?'} ${others.length > 0 ? `of ${where}, one of ${server.pods.length}` : ''} behind ${destination}`.replace(
        '  ',
        ' ',
      ),
    statement: `${seenWords(refused, where)}: ${reason}.${elsewhere}`,
    certainty: isProven ? 'proven' : seenBy === 'ports' ? 'possible' : 'likely',
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
      : seenBy === 'body' || seenBy === 'ports'
        ? {
            command: `kubectl logs ${pod?.name ?? 'POD'} -n ${pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
            why: 'a line with UF and Connection refused on an inbound cluster proves it',
          }
        : {
            command: pod
              ? `kubectl -n ${pod.namespace} get pod ${pod.name} -o wide`
              : `kubectl get pods -n ${server.namespace ?? 'NAMESPACE'} -o wide`,
            why: 'a pod that restarts or has gone leaves its address behind for a moment',
          },
  })
}
