import { targetRefs } from '../../mesh/policy-attachment.ts'
import { isDocumented, lintRule, namespaceOf, reasonAnnotation } from './lint-rule.ts'

const saysSo = /deny-all|allow-nothing|allow-all|default-deny|namespace|mesh-wide|baseline/i

/** D7: a policy for every workload of a namespace, and nobody wrote down that this is meant. */
export default lintRule({
  code: 'lint-namespace-wide-policy',
  layer: 'authz',
  severity: 'info',
  title: 'A policy covers a whole namespace without saying why',
  why: 'Without selector or targetRefs a policy covers every workload of its namespace, in the root namespace the whole mesh. One ALLOW of that kind turns the default of all of them to deny.',
  find: (situation) =>
    situation.store.list('AuthorizationPolicy').flatMap((stored) => {
      const { spec, metadata } = stored.object
      const labels = Object.keys(spec?.selector?.matchLabels ?? {})
      if (labels.length > 0 || targetRefs(stored.object).length > 0) return []
      if (isDocumented(stored) || saysSo.test(metadata.name)) return []
      const everywhere = namespaceOf(stored) === situation.rootNamespace
      return {
        stored,
        message: `it covers ${everywhere ? 'the whole mesh' : `every workload of ${namespaceOf(stored)}`}, and nothing says that this is meant`,
        fix: `Add a selector or targetRefs, or write the reason into the annotation ${reasonAnnotation}.`,
        risk: 'with a selector the other workloads lose the policy',
      }
    }),
})
