import { readRule } from '../../mesh/authorize/rule-shape.ts'
import { lintRule } from './lint-rule.ts'

/** D15: path patterns that fit more, or less, than they seem to. */
export default lintRule({
  code: 'lint-path-trap',
  layer: 'authz',
  severity: 'warning',
  title: 'A path pattern that opens or misses paths',
  why: 'A star in a policy’s path is compared as text: /api* fits /api-admin, *.js fits /admin/x.js, and an exact /admin leaves /admin/ and everything below it out.',
  seeAlso: [
    'https://istio.io/latest/docs/ops/best-practices/security/#understand-path-normalization-in-authorization-policy',
  ],
  find: ({ store }) =>
    store.list('AuthorizationPolicy').flatMap((stored) => {
      const { spec } = stored.object
      const action = String(spec?.action ?? 'ALLOW')
      const rules: readonly unknown[] = Array.isArray(spec?.rules) ? spec.rules : []
      const paths = rules
        .map(readRule)
        .flatMap(({ to, from }) => to.map((block) => ({ values: block.get('paths')?.values ?? [], from: from.length })))
      const trap = paths.flatMap(({ values, from }) => trapOf(action, values, from > 0))[0]
      if (!trap) return []
      return {
        stored,
        message: trap.message,
        part: rules,
        fix: trap.fix,
        risk: 'a narrower ALLOW refuses, and a wider DENY stops, requests that pass today',
      }
    }),
})

function trapOf(action: string, values: readonly string[], named: boolean): { message: string; fix: string }[] {
  if (action === 'DENY') {
    const bare = values.find(
      (value) =>
        /^\/[^*{]+[^/*]$/.test(value) &&
        !/\.[a-z0-9]+$/i.test(value) &&
        !values.some((other) => other !== value && covers(other, `${value}/`)),
    )
    return bare
      ? [
          {
            message: `DENY for ${bare} alone leaves ${bare}/ and everything below it open`,
            fix: `Write ${bare}/* beside ${bare}.`,
          },
        ]
      : []
  }
  if (action !== 'ALLOW') return []
  return values.flatMap((value) => {
    if ((value === '/*' || value === '*') && !named)
      return [
        {
          message: `ALLOW for ${value} opens every path, admin paths too, to everybody`,
          fix: 'Name the paths that are meant to be open, or who may call them.',
        },
      ]
    const prefix = /^(\/.*[^/*])\*$/.exec(value)?.[1]
    if (prefix)
      return [
        {
          message: `${value} also fits ${prefix}-anything: a prefix is compared as text`,
          fix: `Write ${prefix} and ${prefix}/* instead of ${value}.`,
        },
      ]
    if (/^\*./.test(value))
      return [
        {
          message: `${value} fits that ending at any depth, below admin paths too`,
          fix: `Put the folder before it, as in /static/*, instead of ${value}.`,
        },
      ]
    return []
  })
}

function covers(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
}
