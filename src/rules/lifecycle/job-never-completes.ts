import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { appContainers, hasTerminated, isRunning, lastEnd, proxyContainer } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'

/** The work is done, and the sidecar keeps the pod of a Job alive. */
export default defineRule({
  code: 'job-never-completes',
  layer: 'lifecycle',
  severity: 'warning',
  explains: ['unknown'],
  title: 'A Job does not end because its sidecar goes on',
  why: 'A sidecar that is an ordinary container does not know that the work is done. The Job stays at 1/2 Running for ever. Native sidecars end with the pod’s containers.',
  needs: [['client.config', 'server.config']],
  seeAlso: ['https://istio.io/latest/blog/2023/native-sidecars/'],
  check({ client, server, symptom, exchanges }) {
    const hits = [...client.pods, ...server.pods].flatMap((pod) => {
      const proxy = proxyContainer(pod)
      const apps = appContainers(pod)
      const ofJob = pod.workload?.kind === 'job' || pod.workload?.kind === 'cronjob'
      if (!proxy || proxy.native || !ofJob || apps.length === 0) return []
      if (!isRunning(proxy) || !apps.every(hasTerminated)) return []
      const ends = apps.map((app) => `${app.name}: ${lastEnd(app)?.reason ?? 'ended'}`)
      return hit({
        subject: podLabel(pod),
        title: `${podLabel(pod)} has done its work, and its sidecar keeps it running`,
        statement: `All containers of ${pod.name}.${pod.namespace} but istio-proxy have ended (${ends.join(', ')}).`,
        certainty: 'proven',
        supporting: [quote(pod.entry, 'the state of its containers', `${ends.join(', ')}; istio-proxy: running`)],
        fix: {
          statement:
            'Use native sidecars (default since 1.27, ENABLE_NATIVE_SIDECARS before, or annotation sidecar.istio.io/nativeSidecar on the Job’s pod template); or let the work end with POST to 127.0.0.1:15020/quitquitquit.',
          commands: [],
          scope: 'Jobs that are made from then on',
          risk: 'native sidecars need Kubernetes 1.29 or newer',
          undo: 'remove the annotation',
        },
        verify: { command: `kubectl get pods -n ${pod.namespace}`, expect: 'Completed for the next run' },
        about: symptom === 'unknown' && !exchanges.some(({ showsSymptom }) => showsSymptom) ? 'call' : 'aside',
      })
    })
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})
