import { type Subset, selectDestinationRule } from '../../mesh/destination-rule.ts'
import { resolveHost } from '../../mesh/hosts.ts'
import type { ClusterName } from '../../mesh/names.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Situation } from '../../situation/situation.ts'
import { ruleFor } from './cluster.ts'

/** The subset of a cluster's name, as the DestinationRule that counts for the caller defines it. */
export function subsetOf(situation: Situation, { host, subset }: ClusterName): Subset | null {
  return subset === '' ? null : (ruleFor(situation, host)?.subsets.find(({ name }) => name === subset) ?? null)
}

export function subsetLabels(situation: Situation, cluster: ClusterName): Readonly<Record<string, string>> {
  return subsetOf(situation, cluster)?.labels ?? {}
}

/** DestinationRules that define the subset for this host, whether or not they count for the caller. */
export function rulesWithSubset({ store, mesh }: Situation, { host, subset }: ClusterName): readonly KubeObject[] {
  return store.objects('DestinationRule').filter((rule) => {
    const named =
      typeof rule.spec?.host === 'string'
        ? resolveHost(rule.spec.host, rule.metadata.namespace ?? '', 'cluster.local')
        : ''
    const defines = (rule.spec?.subsets ?? []).some((one: { name?: string }) => one?.name === subset)
    // A rule alone decides whether its host covers this one.
    const covers =
      named === host ||
      selectDestinationRule(
        [rule],
        { namespace: rule.metadata.namespace ?? '', labels: {} },
        { host, namespace: rule.metadata.namespace ?? '' },
        { ...mesh },
      ) !== null
    return defines && covers
  })
}
