import { fired, type Hit } from '../../model/finding.ts'
import { type PodView, podLabel } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { refOf } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { containersOf } from '../lib/pod-facts.ts'
import { applicationPorts, type Refused, refusedConnection, refusedLater } from '../lib/refused-connections.ts'
import { answeringText, replicasOf } from '../lib/replicas.ts'
import { destinationName, handOver, plural, tryAgain } from '../lib/words.ts'

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

/** What the kubelet says of an application that does not run. */
function stateText(pod: PodView | null): string | null {
  const down = (pod ? containersOf(pod) : []).find(
    ({ name, init, status }) =>
      !init && name !== 'istio-proxy' && (status?.state?.waiting || status?.state?.terminated),
  )
  if (!down) return null
  const { state, lastState, restartCount = 0 } = down.status
  const last = lastState?.terminated
  const ended = last ? `; it ended with ${last.reason ?? 'an error'}, exit code ${last.exitCode}` : ''
  const why = state.waiting?.reason ?? state.terminated?.reason ?? 'ended'
  return `container ${down.name} does not run (${why}, ${plural(restartCount, 'restart')}${ended})`
}

function lookCommands(pod: PodView, port: number | null): readonly string[] {
  const container = pod.ports.find((one) => one.port === port && one.container !== 'istio-proxy')?.container
  const log = `kubectl logs ${pod.name} -n ${pod.namespace}${container ? ` -c ${container}` : ''}`
  return [`kubectl -n ${pod.namespace} describe pod ${pod.name}`, `${log} --tail=200`]
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
    : (stateText(pod) ??
      (isDeclared
        ? `the container declares port ${port}, so its process is down, still starting, or listens on localhost only`
        : `nothing listens on port ${port ?? '?'} of the pod`))
  const replicas = replicasOf(situation, refused.lines)
  const isOne = replicas.text.startsWith('pod ')
  const only = isOne && pod ? `pod ${pod.name}` : pod ? podLabel(pod) : 'the destination'
  const where = replicas.failing.length > 1 ? destination : only
  return hitOf({
    subject: pod ? podLabel(pod) : destination,
    title: `${seenBy === 'ports' ? 'Perhaps nothing' : 'Nothing'} listens on port ${port ?? '?'} ${isOne ? 'of' : 'behind'} ${replicas.text}`,
    statement: `${seenWords(refused, where)}: ${reason}.${answeringText(replicas)}`,
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
            commands: pod ? lookCommands(pod, port) : [],
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
