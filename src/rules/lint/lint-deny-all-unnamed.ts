import { lintRule } from './lint-rule.ts'

const saysSo = /deny|nothing|none|lock|default|block/i

/** D5: an ALLOW policy without rules refuses everything, and its name does not say so. */
export default lintRule({
  code: 'lint-deny-all-unnamed',
  layer: 'authz',
  severity: 'warning',
  title: 'A policy that denies everything is not named so',
  why: 'ALLOW without rules fits nothing, and so refuses everything it covers. People read it as "allow all", which is `rules: [{}]`.',
  seeAlso: ['https://istio.io/latest/docs/concepts/security/#allow-nothing-deny-all-and-allow-all-policy'],
  find: ({ store }) =>
    store.list('AuthorizationPolicy').flatMap((stored) => {
      const { spec, metadata } = stored.object
      const rules: unknown = spec?.rules
      const empty = !Array.isArray(rules) || rules.length === 0
      if ((spec?.action ?? 'ALLOW') !== 'ALLOW' || !empty || saysSo.test(metadata.name)) return []
      return {
        stored,
        message: 'ALLOW without rules refuses everything it covers, and the name does not say so',
        part: spec ?? {},
        fix: 'If everything is meant to be refused, give it a name that says so (deny-all); if everything is meant to pass, write rules: [{}].',
      }
    }),
})
