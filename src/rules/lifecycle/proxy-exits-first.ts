import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { appContainers, hasTerminated, isRunning, proxyContainer } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'

/** The proxy has ended and the application still works: what it sends goes nowhere. */
export default defineRule({
  code: 'proxy-exits-first',
  layer: 'lifecycle',
  severity: 'warning',
  explains: ['reset', '503', 'timeout'],
  title: 'The proxy ends before the application',
  why: 'At shutdown both get the signal at once. A proxy that is drained before the application has finished leaves it without a network.',
  needs: ['client.config'],
  check({ client, exchanges }) {
    for (const pod of client.pods) {
      const proxy = proxyContainer(pod)
      const running = appContainers(pod).find(isRunning)
      if (!proxy || proxy.native || !hasTerminated(proxy) || !running) continue
      const name = podLabel(pod)
      return fired(
        hit({
          subject: name,
          title: `The proxy of ${pod.name}.${pod.namespace} has ended while ${running.name} still runs`,
          statement: `istio-proxy ended at ${proxy.status?.state?.terminated?.finishedAt ?? 'an unknown time'}${pod.terminating ? ' while the pod shuts down' : ''}; container ${running.name} runs on, and nothing it sends gets out.`,
          certainty: 'proven',
          supporting: [
            quote(
              pod.entry,
              'the state of its containers',
              JSON.stringify({ 'istio-proxy': proxy.status?.state, [running.name]: running.status?.state }),
            ),
          ],
          fix: {
            statement: `Let the proxy wait for open connections: EXIT_ON_ZERO_ACTIVE_CONNECTIONS in proxyMetadata of the pod template of ${name}, or native sidecars, which end last. Keep the other settings.`,
            commands: workloadCommand(pod, 'edit'),
            scope: `the pods of ${name}`,
            risk: 'a connection that never ends holds the pod until terminationGracePeriodSeconds',
            undo: 'remove the setting',
          },
          verify: { command: `kubectl get pod -n ${pod.namespace} ${pod.name}`, expect: 'the application ends first' },
          // Other replicas with a proxy that works have lines of their own.
          about: exchanges.length === 0 ? 'call' : 'aside',
        }),
      )
    }
    return quiet
  },
})
