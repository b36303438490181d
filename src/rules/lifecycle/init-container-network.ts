import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { aboutStart } from '../injection/istio-init-fails.ts'
import { isRunning, lastEnd } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { containersOf, workloadCommand } from '../lib/pod-facts.ts'

const redirecting: ReadonlySet<string> = new Set(['istio-init', 'istio-validation'])

/** An init container of the application runs after the redirection is set and before the proxy is there to take it. */
export default defineRule({
  code: 'init-container-network',
  layer: 'lifecycle',
  severity: 'error',
  explains: ['503', 'not-injected'],
  title: 'An init container has no network yet',
  why: 'Once the pod’s traffic is redirected, it goes to the proxy. A proxy that is an ordinary container starts after all init containers, so one that calls something in between is refused or hangs, and the pod never starts.',
  needs: [['client.config', 'server.config']],
  yieldsTo: ['istio-init-fails', 'cni-race-validation'],
  seeAlso: ['https://istio.io/latest/docs/setup/additional-setup/cni/#compatibility-with-application-init-containers'],
  check(situation) {
    const hits = [...situation.client.pods, ...situation.server.pods].flatMap((pod) => {
      const found = stuckBeforeProxy(pod)
      return found ? explained(pod, found, aboutStart(situation, pod)) : []
    })
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

type Container = ReturnType<typeof containersOf>[number]

/** The container that runs or fails while the traffic is redirected and no proxy listens. */
function stuckBeforeProxy(pod: PodView): Container | null {
  const all = containersOf(pod)
  const proxy = all.find(({ name }) => name === 'istio-proxy')
  // A native sidecar is up before the init containers that follow it.
  if (!proxy || proxy.native || pod.ready) return null
  const inits = all.filter(({ init }) => init)
  const redirect = inits.findIndex(({ name }) => redirecting.has(name))
  const isSet = redirect >= 0 && lastEnd(inits[redirect] as Container)?.exitCode === 0
  if (!isSet) return null
  return inits.slice(redirect + 1).find((one) => isRunning(one) || failsAgain(one)) ?? null
}

function failsAgain(container: Container): boolean {
  const end = lastEnd(container)
  return end !== null && end.exitCode !== 0
}

function explained(pod: PodView, container: Container, about: Hit['about']): Hit {
  const name = podLabel(pod)
  const end = lastEnd(container)
  return hit({
    subject: name,
    title: `Init container ${container.name} of ${name} runs before its proxy, with its traffic already redirected`,
    statement: `${container.name} of ${pod.name}.${pod.namespace} ${
      end
        ? `ended with exit code ${end.exitCode} and has restarted ${container.status?.restartCount ?? 0} times`
        : 'is still running'
    }. istio-init is done, and istio-proxy starts only after all init containers: what ${container.name} calls is refused.`,
    certainty: 'likely',
    supporting: [
      quote(
        pod.entry,
        'the state of the init container',
        JSON.stringify({
          name: container.name,
          state: container.status?.state,
          lastState: container.status?.lastState,
        }),
      ),
    ],
    wouldDecide: {
      command: `kubectl logs -n ${pod.namespace} ${pod.name} -c ${container.name}`,
      why: 'a connection that is refused or hangs proves it; any other message is the container’s own fault',
    },
    fix: {
      statement: `Use native sidecars for ${name} (default since 1.27, annotation sidecar.istio.io/nativeSidecar before), or let ${container.name} run as user 1337 or exclude its ports (traffic.sidecar.istio.io/excludeOutboundPorts); keep the other annotations.`,
      commands: workloadCommand(pod, 'edit'),
      scope: `the pods of ${name}`,
      risk: 'an excluded port bypasses the mesh for the application as well',
      undo: 'remove the annotation',
    },
    verify: {
      command: `kubectl get pod -n ${pod.namespace} ${pod.name}`,
      expect: 'Running, all init containers Completed',
    },
    about,
  })
}
