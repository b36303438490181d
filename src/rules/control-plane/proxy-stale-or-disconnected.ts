import type { EvidenceEntry, Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import {
  aboutSync,
  decidesCall,
  istiodLogRead,
  messagesOf,
  proxiesOnTheWay,
  proxyId,
  quoteStates,
  rejectionsOf,
  typesIn,
  unansweredBy,
} from '../lib/sync-state.ts'

const streamClosed =
  /gRPC config stream (?:to \S+ )?closed|upstream .*terminated with unexpected error|failed to connect to upstream/

/** istiod has sent something that the proxy never answered, or the proxy is not connected at all: it runs on old configuration. */
export default defineRule({
  code: 'proxy-stale-or-disconnected',
  layer: 'control-plane-xds',
  severity: 'error',
  explains: ['not-applied', '503'],
  title: 'A proxy does not take up its configuration',
  why: 'A proxy whose connection to istiod is broken, or that does not answer, keeps working on the routes, endpoints and policies it had. Objects are right, and the traffic follows the old ones.',
  needs: ['mesh.proxyStatus'],
  yieldsTo: ['proxy-nack-error'],
  seeAlso: ['https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/'],
  check(situation) {
    const pods = proxiesOnTheWay(situation)
    const hits = pods.flatMap((pod) => staleOf(situation, pod) ?? absentOf(situation, pod) ?? [])
    if (hits.length > 0) return fired(...mergeHits(hits, ({ about }) => about))
    const states = pods.flatMap((pod) => quoteStates(situation, pod, `what istiod says of ${proxyId(pod)}`) ?? [])
    const shown = situation.proxyStatus?.data.statesShown === true
    return shown && states.length > 0 ? ruledOut('no proxy on the way of this call is STALE', ...states) : quiet
  },
})

function staleOf(situation: Situation, pod: PodView): Hit | null {
  const stale = typesIn(situation, pod, 'STALE')
  // Older tools call a rejected push STALE, too: then istiod's log has the rejection, of that very type.
  if (!stale || stale.names.every((name) => rejectionsOf(situation, pod).some(({ entry }) => entry.type === name)))
    return null
  const states = quoteStates(
    situation,
    pod,
    `istiod has sent ${stale.names.join(', ')}, and ${proxyId(pod)} has not answered`,
  )
  const silent = unansweredBy(situation, pod)
  // Since 1.27 istioctl has a word of its own for rejections.
  const tellsErrorsApart = (situation.istioctlMinor?.minor ?? 27) >= 27
  const proven = tellsErrorsApart || silent.length > 0 || istiodLogRead(situation)
  return {
    ...common(pod, stale.names),
    title: `${proxyId(pod)} is STALE for ${stale.names.join(', ')}: it does not take up what istiod sends`,
    statement: `istiod sent ${stale.names.join(', ')} and ${proxyId(pod)} never acknowledged it, nor rejected it. ${
      silent.length > 0 ? 'Its admin interface does not answer either, so the proxy itself hangs. ' : ''
    }It works on the configuration it had before.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(states ? [states] : []),
      ...silent.slice(0, 2).map(quoteSilence),
      ...closedStream(situation, pod),
      ...readiness(situation, pod),
      ...oldAddress(situation, pod),
    ],
    wouldDecide: proven
      ? null
      : {
          command: `kubectl logs -n ${situation.given.istioNamespace} deploy/istiod | grep "ACK ERROR"`,
          why: 'a rejection of this proxy in istiod’s log (ACK ERROR) means that it refuses its configuration; none, that it has not got it. This version of istioctl shows both as STALE',
        },
    about: decidesCall(situation, pod, stale.names) ? aboutOf(situation, pod) : 'aside',
  }
}

function quoteSilence(entry: EvidenceEntry): Quote {
  return quote(entry.id, 'the proxy’s admin interface did not answer in time', entry.detail)
}

function closedStream(situation: Situation, pod: PodView): readonly Quote[] {
  const last = messagesOf(situation, pod, streamClosed).at(-1)
  return last ? [quote(last.entry, 'its connection to istiod was closed', last.text, last.line)] : []
}

function readiness(situation: Situation, pod: PodView): readonly Quote[] {
  const event = situation.events.findLast(
    ({ object, message }) => object.name === pod.name && /probe failed.*:15021\//.test(message),
  )
  return event ? [quote(event.entry, 'its own readiness check fails', event.message)] : []
}

/** Not in the list of connected proxies, although it runs: a fact only where the list was complete for its revision. */
function absentOf(situation: Situation, pod: PodView): Hit | null {
  const status = situation.proxyStatus
  if (!status || situation.sync(pod) || status.data.proxies.length === 0) return null
  if (pod.phase !== 'Running' || pod.terminating || !asksRevisionOf(situation, pod)) return null
  const closed = closedStream(situation, pod)
  return {
    ...common(pod, []),
    title: `${proxyId(pod)} is not connected to istiod`,
    statement: `${proxyId(pod)} runs a proxy, and istiod does not list it among the ${status.data.proxies.length} that are connected. It gets no configuration.`,
    certainty: closed.length > 0 ? 'proven' : 'likely',
    supporting: [
      quote(status.entry, `${proxyId(pod)} is not among the ${status.data.proxies.length} connected proxies`, null),
      ...closed,
    ],
    wouldDecide:
      closed.length > 0
        ? null
        : {
            command: `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-proxy --tail=200`,
            why: 'a closed configuration stream in its log proves that it is cut off, and says why',
          },
    about: aboutOf(situation, pod),
  }
}

/** `--revision` asks one istiod: proxies of other revisions are not in its list, and that means nothing. */
function asksRevisionOf(situation: Situation, pod: PodView): boolean {
  const entry = situation.entries.find(({ id }) => id === situation.proxyStatus?.entry)
  const at = entry?.command.args.indexOf('--revision') ?? -1
  const asked = at < 0 ? null : (entry?.command.args[at + 1] ?? null)
  return asked === null || pod.revision === null || pod.revision === asked
}

function aboutOf(situation: Situation, pod: PodView): Hit['about'] {
  return aboutSync(situation) === 'call' || goneUpstream(situation, pod) ? 'call' : 'aside'
}

/** The stale proxy sends to an address that no pod has any more: old endpoints are why the call fails. */
function goneUpstream(situation: Situation, pod: PodView) {
  if (situation.store.readable('Pod', situation.serverNamespace ?? '') !== 'yes' || situation.server.pods.length === 0)
    return null
  return (
    situation.failing.find(({ client, gateway }) => {
      const front = client ?? gateway
      const ip = ipOf(front?.record.upstreamHost ?? null)
      return front?.pod?.name === pod.name && ip !== null && situation.podByIp(ip) === null
    }) ?? null
  )
}

function oldAddress(situation: Situation, pod: PodView): readonly Quote[] {
  const gone = goneUpstream(situation, pod)
  const front = gone?.client ?? gone?.gateway ?? null
  return front ? [quoteLine(front, 'it sends to an address that no pod has any more')] : []
}

function common(pod: PodView, types: readonly string[]) {
  return {
    subject: proxyId(pod),
    contradicting: [],
    fix: {
      statement: `Find out what keeps ${proxyId(pod)} from istiod: a NetworkPolicy or firewall on port 15012, an istiod that was replaced, a proxy that hangs. Restart only this pod, and only once the path to istiod is known to work.`,
      commands: [
        `kubectl get networkpolicies -n ${pod.namespace}`,
        `kubectl delete pod -n ${pod.namespace} ${pod.name}`,
      ],
      scope: `this one pod; ${types.length > 0 ? `${types.join(', ')} of others is not touched` : 'others are connected'}`,
      risk: 'a pod that restarts while istiod cannot be reached does not become ready; requests in flight are lost',
      undo: 'none is needed: the workload makes a new pod of the same kind',
    },
    verify: { command: 'istioctl proxy-status -v 1', expect: `SYNCED for all types of ${proxyId(pod)}` },
  }
}
