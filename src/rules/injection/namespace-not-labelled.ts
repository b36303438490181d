import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type Injection, injectionOf, isAmbient, unproxiedPods } from '../lib/injection.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { noSidecar } from '../lib/no-sidecar.ts'
import { workloadCommand } from '../lib/pod-facts.ts'

/** Nothing asks for a sidecar: neither the namespace nor the pod carries a label that a webhook selects. */
export default defineRule({
  code: 'namespace-not-labelled',
  layer: 'injection',
  severity: 'error',
  explains: ['not-injected'],
  title: 'The namespace is not enabled for injection',
  why: 'Injection is asked for by a label, on the namespace or on the pod. Without one, or with istio-injection=disabled, pods are created as they are written.',
  needs: [['client.config', 'server.config'], 'mesh.namespaces'],
  seeAlso: ['https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/'],
  check(situation) {
    const hits = unproxiedPods(situation)
      .filter((pod) => !isAmbient(situation, pod))
      .flatMap((pod) => injectionOf(situation, pod) ?? [])
      .flatMap((injection) => notLabelled(situation, injection) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function notLabelled(situation: Situation, injection: Injection) {
  const { pod, namespace, answer } = injection
  const labels = namespace.object.metadata.labels ?? {}
  const disabled = labels['istio-injection'] === 'disabled'
  const silent = labels['istio-injection'] === undefined && labels['istio.io/rev'] === undefined
  // The pod's own label may ask for it, or opt out: both are other findings.
  const podAsks = pod.labels['sidecar.istio.io/inject'] !== undefined || pod.labels['istio.io/rev'] !== undefined
  if (answer.injected !== false || !(disabled || (silent && !podAsks))) return null
  if (pod.object.spec?.hostNetwork === true) return null
  const analyzer = situation.analyze.find(({ code, origin }) => code === 'IST0102' && origin?.name === pod.namespace)
  const name = podLabel(pod)
  return noSidecar(situation, injection, {
    title: `Namespace ${pod.namespace} does not ask for sidecars, so ${name} has none`,
    statement: `${answer.because}.${disabled ? ' A label on the pod does not outweigh that.' : ''}`,
    certainty: 'proven',
    quotes: analyzer ? [quote(analyzer.entry, 'istioctl analyze says so', `${analyzer.code} ${analyzer.message}`)] : [],
    fix: {
      statement: disabled
        ? `If ${name} is meant to be in the mesh, replace istio-injection=disabled on namespace ${pod.namespace}, after asking who set it; then restart ${name} alone.`
        : `Label the pod template of ${name} with sidecar.istio.io/inject: "true" to bring in this workload alone, or namespace ${pod.namespace} for all of it; then restart ${name}.`,
      commands: [
        `kubectl label namespace ${pod.namespace} istio-injection=enabled${disabled ? ' --overwrite' : ''}`,
        ...workloadCommand(pod, 'rollout restart'),
      ],
      scope: `with the namespace's label, every pod that is created in ${pod.namespace} from then on`,
      risk: 'other workloads of the namespace get a sidecar when their pods are next replaced',
      undo: `kubectl label namespace ${pod.namespace} istio-injection-, and restart ${name}`,
    },
  })
}
