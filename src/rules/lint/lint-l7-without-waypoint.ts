import { readRule } from '../../mesh/authorize/rule-shape.ts'
import { targetRefs } from '../../mesh/policy-attachment.ts'
import type { KubeObject } from '../../model/kube.ts'
import { matchesLabels } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { selectorOf } from '../lib/selectors.ts'
import { lintRule } from './lint-rule.ts'

const httpFields = ['hosts', 'methods', 'paths', 'remoteIpBlocks', 'requestPrincipals']
const l4Keys = new Set(['source.ip', 'source.namespace', 'source.principal', 'destination.ip', 'destination.port'])

/** D21: a policy about HTTP that only ztunnel gets. */
export default lintRule({
  code: 'lint-l7-without-waypoint',
  layer: 'ambient-ztunnel',
  severity: 'error',
  title: 'A policy about HTTP in the ambient mesh without a waypoint',
  why: 'ztunnel reads no HTTP. An ALLOW rule with HTTP fields allows nobody there, and a DENY rule with HTTP fields only denies nothing. Both need targetRefs and a waypoint.',
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/l7-features/'],
  find: (situation) =>
    situation.store.list('AuthorizationPolicy').flatMap((stored) => {
      const fields = fieldsOf(stored.object)
      if (fields.length === 0 || targetRefs(stored.object).length > 0 || !isAmbient(situation, stored.object)) return []
      const deny = stored.object.spec?.action === 'DENY'
      return {
        stored,
        message: `it attaches at ztunnel and asks for ${fields.join(', ')}: ${deny ? 'what it denies passes all the same' : 'nobody is allowed by it'}`,
        fix: 'Bind the Service to a waypoint and write targetRefs to it instead of the selector; keep the rules.',
        risk: 'from then on the rules are enforced as they are written',
      }
    }),
})

function fieldsOf({ spec }: KubeObject): readonly string[] {
  const rules: readonly unknown[] = Array.isArray(spec?.rules) ? spec.rules : []
  const found = rules
    .map(readRule)
    .flatMap(({ from, to, when }) => [
      ...[...from, ...to].flatMap((block) => httpFields.filter((name) => block.has(name))),
      ...when.flatMap(({ key }) => (l4Keys.has(key) ? [] : [key])),
    ])
  return [...new Set(found)]
}

/** Pods tell best; where there are none, the namespace's label does. */
function isAmbient({ store, pods }: Situation, policy: KubeObject): boolean {
  const namespace = policy.metadata.namespace ?? 'default'
  const labels = selectorOf(policy)
  const own = pods.filter(
    (pod) => pod.namespace === namespace && (Object.keys(labels).length === 0 || matchesLabels(labels, pod.labels)),
  )
  if (own.length > 0) return own.some(({ proxy }) => proxy === 'ambient')
  return store.get('Namespace', null, namespace)?.object.metadata.labels?.['istio.io/dataplane-mode'] === 'ambient'
}
