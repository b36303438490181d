import { fired, quiet, ruledOut } from '../../model/finding.ts'
import type { ZtunnelLine } from '../../situation/exchanges.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quoteZtunnel, ztunnelErrors } from '../lib/ambient.ts'
import { aboutCreation, failedInjections, quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'
import { unproxiedPods } from '../lib/injection.ts'
import { istiodDeployments, istiods, readyIstiods, revisionOf, revisionsOfCall } from '../lib/istiods.ts'
import { aboutSync } from '../lib/sync-state.ts'

/** No istiod is ready: nothing is pushed, nobody is injected, no certificate is renewed. Running traffic goes on. */
export default defineRule({
  code: 'istiod-down',
  layer: 'control-plane',
  severity: 'error',
  explains: ['not-injected', 'not-applied', '503', 'reset', 'timeout'],
  title: 'istiod is not available',
  why: 'Proxies keep what they have without istiod, so running calls go on. New pods are refused or wait for configuration, changes reach nobody, and certificates run out after a day.',
  needs: [['mesh.config', 'client.events', 'server.events']],
  check(situation) {
    const { istioNamespace } = situation.given
    const [failed] = failedInjections(situation, (message) => /no endpoints available/.test(message))
    const wanted = revisionsOfCall(situation)
    const ofCall = <T extends { labels: Readonly<Record<string, string>> }>(one: T) =>
      wanted.length === 0 || wanted.includes(revisionOf(one))
    const ready = readyIstiods(situation).filter(({ pod }) => ofCall(pod))
    const deployments = istiodDeployments(situation).filter(({ object }) =>
      ofCall({ labels: object.spec?.template?.metadata?.labels ?? {} }),
    )
    const empty = deployments.filter(({ object }) => (object.status?.availableReplicas ?? 0) === 0)
    const isDown = ready.length === 0 && deployments.length > 0 && empty.length === deployments.length
    if (!isDown && !(failed && ready.length === 0)) {
      const [one] = ready
      return one ? ruledOut(`${one.pod.name} is ready`, one.quote) : quiet
    }
    const pods = istiods(situation).filter(ofCall)
    const unknown = unknownWorkload(situation)
    const isBroken = situation.symptom === 'reset' || situation.symptom === 'timeout'
    const about = failed
      ? aboutCreation(situation, failed)
      : situation.symptom === 'not-injected'
        ? // A pod that is there was created without asking istiod; its successor will have to.
          unproxiedPods(situation).length > 0
          ? 'next'
          : 'call'
        : unknown
          ? 'call'
          : // Running connections do not need istiod.
            isBroken
            ? 'aside'
            : aboutSync(situation)
    return fired(
      hit({
        subject: `istiod in ${istioNamespace}`,
        title: `istiod in ${istioNamespace} has no ready pod`,
        statement: `${
          pods.length === 0
            ? 'There is no pod of istiod'
            : pods.map(({ name, phase }) => `${name} is ${phase} and not ready`).join('; ')
        }. Changes do not reach the proxies and pods that ask for a sidecar are not created.${unknown ? ' A pod that is newer than that is unknown to ztunnel, or has no certificate, and nothing of it is let through.' : ''}`,
        certainty: 'proven',
        supporting: [
          ...(failed ? [quoteEvent(failed.event, 'the webhook has nobody behind it')] : []),
          ...(unknown
            ? [quoteZtunnel(unknown, 'ztunnel has not got from istiod what it needs for this workload')]
            : []),
          ...empty.slice(0, 2).map((stored) =>
            quoteObject(stored, `Deployment ${stored.object.metadata.name} has no available replica`, {
              replicas: stored.object.spec?.replicas ?? null,
              availableReplicas: stored.object.status?.availableReplicas ?? 0,
            }),
          ),
          ...pods.slice(0, 2).map((pod) => quote(pod.entry, `${pod.name} is not ready`, `phase: ${pod.phase}`)),
        ],
        fix: {
          statement:
            'Bring istiod back: scale it up if it was scaled to nothing, or mend what keeps its pod from becoming ready.',
          commands: [
            `kubectl -n ${istioNamespace} describe pods -l app=istiod`,
            ...empty
              .filter(({ object }) => object.spec?.replicas === 0)
              .map(
                ({ object }) => `kubectl -n ${istioNamespace} scale deployment ${object.metadata.name} --replicas=1`,
              ),
          ],
          scope: 'the control plane; running traffic is not touched',
          risk: 'all changes that waited are pushed at once when it is back',
          undo: 'scale it back',
        },
        verify: {
          command: `kubectl get pods -n ${istioNamespace} -l app=istiod`,
          expect: 'at least one pod that is ready',
        },
        about,
      }),
    )
  },
})

/** ztunnel learns of new pods, and gets their certificates, from istiod: one it was never told of may neither call nor be called. */
function unknownWorkload(situation: Situation): ZtunnelLine | null {
  return (
    ztunnelErrors(situation, /failed to fetch information about local workload|unknown source|identity error/).findLast(
      // Somebody has to be there to refuse.
      ({ record }) => !/impersonation authentication failure/.test(record.error ?? ''),
    ) ?? null
  )
}
