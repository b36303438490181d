import { lintRule } from './lint-rule.ts'

/** D6: a DENY that does nothing, and a DENY that nothing can lift. */
export default lintRule({
  code: 'lint-deny-without-rules',
  layer: 'authz',
  severity: 'error',
  title: 'A DENY policy that stops nothing, or everything',
  why: 'DENY without rules fits nothing and does nothing. DENY with an empty rule fits everything, and no ALLOW policy can lift it.',
  seeAlso: ['https://istio.io/latest/docs/reference/config/security/authorization-policy/'],
  find: ({ store }) =>
    store.list('AuthorizationPolicy').flatMap((stored) => {
      const { spec } = stored.object
      if (spec?.action !== 'DENY') return []
      const rules: readonly unknown[] = Array.isArray(spec.rules) ? spec.rules : []
      const all = rules.some((rule) => rule !== null && typeof rule === 'object' && Object.keys(rule).length === 0)
      if (rules.length > 0 && !all) return []
      return all
        ? {
            stored,
            message: 'its empty rule denies every request, and no ALLOW policy can lift that',
            fix: 'If nothing is meant to pass, an ALLOW policy without rules does it and leaves room for further ALLOW policies; else write what the rule is meant to deny.',
          }
        : {
            stored,
            message: 'DENY without rules denies nothing',
            fix: 'Write the rules that it is meant to deny, or delete it.',
          }
    }),
})
