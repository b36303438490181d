import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { tunnelPort, ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { isAmbientCall, quoteZtunnel, ztunnelErrors } from '../lib/ambient.ts'
import { frontLines, frontName } from '../lib/front.ts'
import { isRefused, isTunnel } from '../lib/refused-connections.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const refused = /Connection refused/

/** No ztunnel on the node of one end: nothing listens on 15008 there, and nothing takes what its pods send. */
export default defineRule({
  code: 'ambient-ztunnel-down',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['reset', '503', 'timeout', 'unknown'],
  title: 'No ztunnel answers on the node of one end',
  why: 'Every ambient pod is reached, and calls, through the ztunnel of its own node. Where that pod is missing or not ready, nothing accepts connections on port 15008 of the pods there or takes what they send, and their calls are refused.',
  needs: ['mesh.config'],
  yieldsTo: ['ambient-waypoint-down'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/troubleshoot-ztunnel/'],
  applies: isAmbientCall,
  check(situation) {
    const sign = refusedTunnel(situation)
    const every = situation.pods.filter(({ proxy }) => proxy === 'ztunnel')
    const isServed = ({ node }: PodView) => every.some((pod) => pod.node === node && pod.ready && !pod.terminating)
    if (sign) return fired(down(situation, sign, every))
    // Nothing is logged where nobody is left to log: then the pods have to tell.
    const ends = [situation.client.pod, ...situation.server.pods].filter(
      (pod): pod is PodView => pod !== null && pod.proxy === 'ambient' && pod.node !== null,
    )
    const lost = every.length === 0 || wasLogged(situation) ? [] : ends.filter((pod) => !isServed(pod))
    const [pod] = lost
    // One of several pods explains some of the calls, not all.
    const all = pod === situation.client.pod || situation.server.pods.every((one) => lost.includes(one))
    if (pod) return fired(down(situation, { pod, quote: null, partly: !all }, every))
    const [end] = ends
    const here = every.find(({ node, ready }) => node === end?.node && ready)
    return here && end
      ? ruledOut(
          `ztunnel runs on ${end.node}`,
          quote(here.entry, `${here.name} is ready`, `node ${end.node}, Ready=True`),
        )
      : quiet
  },
})

/** A tunnel that was refused, or a captured pod on a node without ztunnel, where nobody writes a line. */
interface Sign {
  readonly pod: PodView
  readonly quote: Quote | null
  readonly partly?: boolean
}

/** Refused at port 15008 of one of the destination's pods: by the caller's ztunnel, or by a proxy that speaks HBONE itself. */
function refusedTunnel(situation: Situation): Sign | null {
  const { server } = situation
  const podAt = (address: string | null) =>
    server.pods.find(({ proxy, ip }) => proxy === 'ambient' && ip !== null && ip === ipOf(address)) ?? null
  const errors = ztunnelErrors(situation, refused).filter(
    ({ record }) =>
      record.direction === 'outbound' && portOf(record.dstAddress) === tunnelPort && podAt(record.dstAddress) !== null,
  )
  const last = errors.at(-1)
  const pod = podAt(last?.record.dstAddress ?? null)
  if (last && pod?.node) return { pod, quote: quoteZtunnel(last, `refused at port 15008 (${errors.length} times)`) }
  const lines = frontLines(situation, (line) => isTunnel(line.record) && isRefused(line.record))
  const front = lines.at(-1)
  const target = podAt(front?.line.record.upstreamHost ?? null)
  return front && target?.node
    ? {
        pod: target,
        quote: quoteLine(
          front.line,
          `${frontName(situation, front.role)} was refused its tunnel (${lines.length} times)`,
        ),
      }
    : null
}

/** Something was logged of this call, whatever came of it: the ztunnels on its way were there. */
function wasLogged(situation: Situation): boolean {
  return situation.passing.length > 0 || ztunnelOfCall(situation).length > 0
}

function down(
  situation: Situation,
  { pod: target, quote: said, partly = false }: Sign,
  every: readonly PodView[],
): Hit {
  const here = every.filter(({ node }) => node === target.node)
  const [ready] = here.filter((pod) => pod.ready && !pod.terminating)
  const isCaller = target === situation.client.pod
  // A ztunnel that runs and is not ready may still carry connections: without a refused one that proves nothing.
  const gone = !here.some((pod) => isRunning(pod))
  const proven = every.length > 0 && !ready && (said !== null || (gone && !partly))
  return {
    subject: `node ${target.node}`,
    title: `No ztunnel answers on node ${target.node}, where ${target.name} runs`,
    statement: `${
      said
        ? `The tunnel to port 15008 of ${target.name} was refused`
        : `${target.name} is captured by the mesh, so ${isCaller ? 'all it sends' : 'all it is sent'} goes through the ztunnel of its node`
    }. ${stateOf(here, every, target.node ?? '')}, so no connection of the mesh ${isCaller ? 'leaves' : 'reaches'} pods there.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(said ? [said] : []),
      ...here.map((pod) =>
        quote(
          pod.entry,
          `${pod.name} on ${target.node} is ${pod.ready ? 'ready now' : 'not ready'}`,
          `phase ${pod.phase}, restarts ${pod.restarts}`,
        ),
      ),
      ...(here.length === 0 && every[0]
        ? [
            quote(
              every[0].entry,
              `ztunnel pods were read, none of them on ${target.node}`,
              every.map(({ name, node }) => `${name} on ${node ?? '?'}`).join(', '),
            ),
          ]
        : []),
      quote(
        target.entry,
        `${target.name} runs on ${target.node}, captured by the mesh`,
        `ambient.istio.io/redirection: ${target.annotations['ambient.istio.io/redirection'] ?? 'absent'}`,
      ),
    ],
    contradicting: ready ? [quote(ready.entry, `${ready.name} is ready`, 'Ready=True')] : [],
    fix: {
      statement: `Bring ztunnel back on node ${target.node}: read why its pod is missing or not ready (node selector, taint, crash); the application's pods stay as they are.`,
      commands: [
        `kubectl get pods -n ${situation.given.istioNamespace} -l app=ztunnel -o wide`,
        `kubectl describe node ${target.node}`,
      ],
      scope: `all ambient pods on ${target.node}`,
      risk: 'connections through that ztunnel are cut when it is replaced',
      undo: 'nothing to undo',
    },
    verify: tryAgain(situation, `an answer from ${destinationName(situation)}`),
    wouldDecide: proven
      ? null
      : {
          command: `kubectl get pods -n ${situation.given.istioNamespace} -l app=ztunnel -o wide`,
          why: `a ztunnel that is ready on ${target.node} rules it out; none, or one that is not, proves it`,
        },
    about: 'call',
  }
}

function isRunning({ phase, object }: PodView): boolean {
  const statuses: readonly { readonly state?: { readonly running?: unknown } }[] =
    object.status?.containerStatuses ?? []
  return phase === 'Running' && statuses.some(({ state }) => state?.running !== undefined)
}

function stateOf(here: readonly PodView[], every: readonly PodView[], node: string): string {
  if (every.length === 0) return `The ztunnel pods could not be read`
  if (here.length === 0) return `There is no ztunnel pod on ${node}`
  return here.some(({ ready }) => ready)
    ? `Its ztunnel is ready now, and was not when the call failed`
    : `Its ztunnel is not ready`
}
