import type { Stored } from '../../situation/objects.ts'
import { lintRule } from './lint-rule.ts'

/** D1: labels of both data planes on one namespace or pod. */
export default lintRule({
  code: 'lint-both-modes',
  layer: 'injection',
  severity: 'error',
  title: 'Sidecar and ambient on one namespace or pod',
  why: 'A pod with a sidecar is left out of the ambient mesh. With labels of both modes, which one a pod gets depends on when it was made.',
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/add-workloads/'],
  find: ({ store }) =>
    [...store.list('Namespace'), ...store.list('Pod'), ...store.list('Deployment')].flatMap((stored) => {
      const asks = asksOf(stored)
      if (!asks.ambient || asks.sidecar === null) return []
      return {
        stored,
        message: `it asks for the ambient mesh (istio.io/dataplane-mode=ambient) and for a sidecar (${asks.sidecar}) at once`,
        part: labelsOf(stored),
        fix: 'Keep the label of the mode that is meant, and take the other one off.',
        risk: 'pods change their mode: with a sidecar at their next start, in the ambient mesh at once',
      }
    }),
})

function labelsOf({ object }: Stored): Readonly<Record<string, string>> {
  return object.kind === 'Deployment' ? (object.spec?.template?.metadata?.labels ?? {}) : (object.metadata.labels ?? {})
}

function asksOf(stored: Stored): { ambient: boolean; sidecar: string | null } {
  const labels = labelsOf(stored)
  const keys = stored.object.kind === 'Namespace' ? ['istio-injection', 'istio.io/rev'] : ['sidecar.istio.io/inject']
  // A waypoint or gateway is bound to a revision by the same label; on namespaces it asks for sidecars.
  const found = keys.find(
    (key) => ['enabled', 'true'].includes(labels[key] ?? '') || (key === 'istio.io/rev' && (labels[key] ?? '') !== ''),
  )
  return {
    ambient: labels['istio.io/dataplane-mode'] === 'ambient',
    sidecar: found ? `${found}=${labels[found]}` : null,
  }
}
