import { targetRefs } from '../../mesh/policy-attachment.ts'
import type { KubeObject } from '../../model/kube.ts'

/** Labels that a policy wants; empty for a whole namespace. */
export function selectorOf({ spec }: KubeObject): Readonly<Record<string, string>> {
  return spec?.selector?.matchLabels ?? spec?.workloadSelector?.labels ?? spec?.workloadSelector?.matchLabels ?? {}
}

/** Whether two policies can cover one workload: nothing in their selectors speaks against it. */
export function overlaps(a: KubeObject, b: KubeObject): boolean {
  const [refsA, refsB] = [targetRefs(a), targetRefs(b)]
  if (refsA.length > 0 || refsB.length > 0)
    return refsA.some((one) => refsB.some((other) => one.kind === other.kind && one.name === other.name))
  const [labelsA, labelsB] = [selectorOf(a), selectorOf(b)]
  return Object.entries(labelsA).every(([key, value]) => labelsB[key] === undefined || labelsB[key] === value)
}
