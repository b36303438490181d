import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { isAmbientCall, quoteZtunnel, ztunnelErrors } from '../lib/ambient.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const refused = /Connection refused/

/** No ztunnel on the node of the destination: nothing listens on 15008 there. */
export default defineRule({
  code: 'ambient-ztunnel-down',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['reset', '503', 'timeout', 'unknown'],
  title: 'No ztunnel answers on the node of the destination',
  why: 'Every ambient pod is reached through the ztunnel of its own node. Where that pod is missing or not ready, nothing accepts connections on port 15008 of the pods there, and calls to them are refused.',
  needs: ['ztunnel.ztunnelLog', 'mesh.config'],
  yieldsTo: ['ambient-waypoint-down'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/troubleshoot-ztunnel/'],
  applies: isAmbientCall,
  check(situation) {
    const ends = situation.server.pods.filter(({ proxy }) => proxy === 'ambient')
    const errors = ztunnelErrors(situation, refused).filter(
      ({ record }) =>
        record.direction === 'outbound' &&
        portOf(record.dstAddress) === 15008 &&
        ends.some(({ ip }) => ip === ipOf(record.dstAddress)),
    )
    const last = errors.at(-1)
    const target = ends.find(({ ip }) => ip === ipOf(last?.record.dstAddress ?? null)) ?? ends[0] ?? null
    if (!target?.node) return quiet
    const every = situation.pods.filter(({ proxy }) => proxy === 'ztunnel')
    const here = every.filter(({ node }) => node === target.node)
    const [ready] = here.filter((pod) => pod.ready && !pod.terminating)
    if (!last)
      return ready
        ? ruledOut(
            `ztunnel runs on ${target.node}`,
            quote(ready.entry, `${ready.name} is ready`, `node ${target.node}, Ready=True`),
          )
        : quiet
    const proven = every.length > 0 && !ready
    return fired({
      subject: `node ${target.node}`,
      title: `No ztunnel answers on node ${target.node}, where ${target.name} runs`,
      statement: `The caller's ztunnel was refused at port 15008 of ${target.name}. ${stateOf(here, every, target.node)}, so no connection of the mesh reaches pods there.`,
      certainty: proven ? 'proven' : 'likely',
      supporting: [
        quoteZtunnel(last, `refused at port 15008 (${errors.length} times)`),
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
            why: `whether a ztunnel is ready on ${target.node}`,
          },
      about: 'call',
    })
  },
})

function stateOf(here: readonly PodView[], every: readonly PodView[], node: string): string {
  if (every.length === 0) return `The ztunnel pods could not be read`
  if (here.length === 0) return `There is no ztunnel pod on ${node}`
  return here.some(({ ready }) => ready)
    ? `Its ztunnel is ready now, and was not when the call failed`
    : `Its ztunnel is not ready`
}
