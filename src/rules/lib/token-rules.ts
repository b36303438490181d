import { readRule } from '../../mesh/authorize/rule-shape.ts'
import type { KubeObject } from '../../model/kube.ts'

/** Whether a policy asks for what only a validated token gives. */
export function usesToken({ spec }: KubeObject): boolean {
  const rules: readonly unknown[] = Array.isArray(spec?.rules) ? spec.rules : []
  return rules
    .map(readRule)
    .some(
      ({ from, when }) =>
        from.some((block) => block.has('requestPrincipals')) || when.some(({ key }) => key.startsWith('request.auth.')),
    )
}
