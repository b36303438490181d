import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { istiods } from '../lib/istiods.ts'
import { containersOf } from '../lib/pod-facts.ts'
import { aboutSync, isSynced, proxiesOnTheWay, proxyId, quoteStates } from '../lib/sync-state.ts'

/** istiod was killed for its memory: pushes come late or not at all while it starts again. */
export default defineRule({
  code: 'istiod-overloaded',
  layer: 'control-plane',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'istiod runs out of memory',
  why: 'istiod computes the configuration of every proxy. With too many proxies, or too much that each has to know, it is killed and starts over, and pushes are minutes late.',
  needs: ['mesh.config'],
  yieldsTo: ['proxy-nack-error', 'proxy-stale-or-disconnected'],
  check(situation) {
    const killedPods = istiods(situation).filter((pod) => containersOf(pod).some(isKilled))
    // Whoever has acknowledged everything has missed nothing, however often istiod was killed before.
    const synced = proxiesOnTheWay(situation)
    if (killedPods.length > 0 && synced.length > 0 && synced.every((pod) => isSynced(situation, pod)))
      return ruledOut(
        'the proxies on the way have acknowledged all that istiod sent',
        ...synced.flatMap((pod) => quoteStates(situation, pod, `${proxyId(pod)} is up to date`) ?? []).slice(0, 2),
      )
    const hits = killedPods.flatMap((pod) => {
      const killed = containersOf(pod).find(isKilled)
      if (!killed) return []
      const { finishedAt } = killed.status?.lastState?.terminated ?? killed.status?.state?.terminated ?? {}
      return hit({
        subject: pod.name,
        title: `${pod.name} was killed for its memory`,
        statement: `Container ${killed.name} of ${pod.name} ended with OOMKilled${finishedAt ? ` at ${finishedAt}` : ''}; it has restarted ${killed.status?.restartCount ?? 'some'} times. While it starts, no push reaches a proxy.`,
        // That it was killed is certain; that this delays the change in question is not.
        certainty: 'likely',
        supporting: [
          quote(pod.entry, 'how its container ended', JSON.stringify(killed.status?.lastState ?? killed.status?.state)),
        ],
        wouldDecide: {
          command: 'istioctl proxy-status -v 1',
          why: 'SYNCED for the proxies of this call means that they have the current configuration, and istiod’s load is not the cause',
        },
        fix: {
          statement:
            'Raise the memory limit of istiod, then let each proxy know less: Sidecar resources or discoverySelectors.',
          commands: [`kubectl -n ${pod.namespace} top pods`],
          scope: 'the control plane',
          risk: 'istiod restarts when its Deployment changes',
          undo: 'put the limit back',
        },
        verify: { command: `kubectl get pods -n ${pod.namespace} -l app=istiod`, expect: 'no new restarts' },
        about: aboutSync(situation),
      })
    })
    return hits.length > 0 ? fired(...hits.slice(0, 1)) : quiet
  },
})

function isKilled({ status }: ReturnType<typeof containersOf>[number]): boolean {
  return reasonOf(status) === 'OOMKilled'
}

// biome-ignore lint/suspicious/noExplicitAny: a container's status as printed
function reasonOf(status: any): unknown {
  return status?.lastState?.terminated?.reason ?? status?.state?.terminated?.reason
}
