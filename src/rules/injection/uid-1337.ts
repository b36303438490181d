import { fired, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { appContainers } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { plaintextRefusals } from '../lib/transport.ts'

/** The application runs as the proxy's own user, whose traffic is never redirected. */
export default defineRule({
  code: 'uid-1337',
  layer: 'injection',
  severity: 'error',
  explains: ['reset', '503', 'not-applied', 'not-injected'],
  title: 'The application runs as the proxy’s user',
  why: 'Traffic of user 1337 is taken for the proxy’s own and not redirected, or the proxy would talk to itself. An application with that user bypasses the mesh on its way out.',
  needs: ['client.config'],
  check(situation) {
    const pod = situation.client.pods.find(({ hasEnvoy }) => hasEnvoy)
    const by = pod ? userOf(pod) : null
    if (!pod || !by) return quiet
    const refusal = plaintextRefusals(situation).at(-1)
    const logged = situation.linesAt('client').length > 0
    const name = podLabel(pod)
    return fired(
      hit({
        subject: name,
        title: `Container ${by} of ${name} runs as user 1337, so its traffic bypasses the sidecar`,
        statement: `${pod.name}.${pod.namespace} has a proxy, and container ${by} runs with runAsUser 1337, which the redirection leaves out.${
          logged ? '' : ' Its proxy has no line of this call.'
        }`,
        certainty: refusal && !logged ? 'proven' : 'likely',
        supporting: [quote(pod.entry, 'the user it runs as', `container ${by}: runAsUser: 1337`)],
        wouldDecide:
          refusal && !logged
            ? null
            : {
                command: `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-proxy --tail=50`,
                why: 'a call that leaves no line in its own proxy’s log bypasses it',
              },
        fix: {
          statement: `Give container ${by} another user in the pod template of ${name}; keep its other settings.`,
          commands: workloadCommand(pod, 'edit'),
          scope: `the pods of ${name}`,
          risk: 'files that belong to user 1337 may not be readable any more',
          undo: 'put the user back',
        },
        verify: {
          command: `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-proxy --tail=50`,
          expect: 'a line for the call',
        },
        about: logged ? 'aside' : 'call',
      }),
    )
  },
})

function userOf(pod: PodView): string | null {
  const inherited: unknown = pod.object.spec?.securityContext?.runAsUser
  const found = appContainers(pod).find(({ spec }) => (spec.securityContext?.runAsUser ?? inherited) === 1337)
  return found?.name ?? null
}
