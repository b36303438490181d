import type { KubeObject } from '../model/kube.ts'
import { forClient, mergeEntries, selectorOf } from './destination-rule-merge.ts'
import { isExportedTo, mostSpecific, resolveHost } from './hosts.ts'
import { objectsIn } from './loose-lists.ts'

/** Who asks: DestinationRules apply at the client. */
export interface RuleClient {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Gateways and waypoints ignore rules with a workloadSelector. */
  readonly gateway?: boolean
}

export interface RuleMesh {
  readonly rootNamespace: string
  readonly domain?: string
  readonly defaultDestinationRuleExportTo?: readonly string[]
}

export interface Subset {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly trafficPolicy: TrafficPolicy | null
  readonly from: KubeObject
}

// biome-ignore lint/suspicious/noExplicitAny: a block of an object, read field by field
export type TrafficPolicy = Readonly<Record<string, any>>

/** What one client sees for one service after selection and merging. */
export interface SelectedRule {
  /** All objects that took part, the deciding one first. */
  readonly objects: readonly KubeObject[]
  readonly host: string
  readonly trafficPolicy: TrafficPolicy | null
  readonly policyFrom: KubeObject | null
  readonly subsets: readonly Subset[]
  /** Same subset name twice among merged objects: the first one counts. */
  readonly duplicateSubsets: readonly { readonly name: string; readonly ignoredIn: KubeObject }[]
  /** Rules that also name the host and do not count here, with the reason. */
  readonly hidden: readonly { readonly object: KubeObject; readonly why: string }[]
}

/**
 * The DestinationRule for a service as a client's proxy gets it: client namespace, then service namespace, then root namespace.
 * The first of these that has any match wins, even with a wildcard, and hides the others with all their subsets.
 */
export function selectDestinationRule(
  rules: readonly KubeObject[],
  client: RuleClient,
  service: { readonly host: string; readonly namespace: string },
  mesh: RuleMesh,
): SelectedRule | null {
  const ordered = [...rules].filter((rule) => rule.kind === 'DestinationRule').sort(byAge)
  const named = ordered.filter((rule) => covers(rule, service.host, mesh))
  for (const tier of tiers(named, client, service.namespace, mesh)) {
    const hosts = tier.map((rule) => ruleHost(rule, mesh))
    const host = mostSpecific(service.host, hosts)
    if (host === null) continue
    const sameHost = tier.filter((_, index) => hosts[index]?.toLowerCase() === host.toLowerCase())
    const entry = forClient(mergeEntries(sameHost, mesh), client)
    // Rules of this namespace exist but are for other workloads. The namespace has still won.
    if (!entry) return null
    return { ...merge(entry.rules, host), hidden: hiddenRules(named, entry.rules, client, mesh) }
  }
  return null
}

/** Rules that name a service's host, when none of them counts for a client: every one with what keeps it away. */
export function unseenDestinationRules(
  rules: readonly KubeObject[],
  client: RuleClient,
  service: { readonly host: string; readonly namespace: string },
  mesh: RuleMesh,
): SelectedRule['hidden'] {
  const named = rules.filter((rule) => rule.kind === 'DestinationRule' && covers(rule, service.host, mesh))
  if (selectDestinationRule(rules, client, service, mesh) !== null) return []
  return hiddenRules(named, [], client, mesh)
}

function tiers(
  rules: readonly KubeObject[],
  client: RuleClient,
  serviceNamespace: string,
  mesh: RuleMesh,
): KubeObject[][] {
  const visible = (rule: KubeObject) => isVisible(rule, client, mesh)
  const inNamespace = (namespace: string) => rules.filter((rule) => rule.metadata.namespace === namespace)
  // Proxies in the root namespace: its rules are meant as defaults for everybody, so only private ones count as their own.
  const own =
    client.namespace === mesh.rootNamespace
      ? inNamespace(client.namespace).filter((rule) => isPrivate(rule, mesh))
      : inNamespace(client.namespace)
  return [own, inNamespace(serviceNamespace).filter(visible), inNamespace(mesh.rootNamespace).filter(visible)]
}

function isVisible(rule: KubeObject, client: RuleClient, mesh: RuleMesh): boolean {
  return isExportedTo(
    rule.spec?.exportTo,
    rule.metadata.namespace ?? '',
    client.namespace,
    mesh.defaultDestinationRuleExportTo,
  )
}

function isPrivate(rule: KubeObject, mesh: RuleMesh): boolean {
  const exportTo: unknown = rule.spec?.exportTo ?? mesh.defaultDestinationRuleExportTo
  return (
    Array.isArray(exportTo) &&
    exportTo.length > 0 &&
    exportTo.every((target) => target === '.' || target === rule.metadata.namespace)
  )
}

function covers(rule: KubeObject, host: string, mesh: RuleMesh): boolean {
  return mostSpecific(host, [ruleHost(rule, mesh)]) !== null
}

function ruleHost(rule: KubeObject, mesh: RuleMesh): string {
  const host: unknown = rule.spec?.host
  return resolveHost(typeof host === 'string' ? host : '', rule.metadata.namespace ?? '', mesh.domain)
}

function merge(rules: readonly KubeObject[], host: string): Omit<SelectedRule, 'hidden'> {
  const subsets: Subset[] = []
  const duplicates: { name: string; ignoredIn: KubeObject }[] = []
  for (const rule of rules)
    for (const subset of objectsIn(rule.spec?.subsets)) {
      const name = String(subset.name ?? '')
      if (subsets.some((other) => other.name === name)) duplicates.push({ name, ignoredIn: rule })
      else subsets.push({ name, labels: subset.labels ?? {}, trafficPolicy: subset.trafficPolicy ?? null, from: rule })
    }
  const policyFrom = rules.find((rule) => rule.spec?.trafficPolicy) ?? null
  return {
    objects: rules,
    host,
    trafficPolicy: policyFrom?.spec.trafficPolicy ?? null,
    policyFrom,
    subsets,
    duplicateSubsets: duplicates,
  }
}

function hiddenRules(
  named: readonly KubeObject[],
  chosen: readonly KubeObject[],
  client: RuleClient,
  mesh: RuleMesh,
): SelectedRule['hidden'] {
  const winner = chosen[0]
  return named
    .filter((rule) => !chosen.includes(rule))
    .map((object) => ({ object, why: whyHidden(object, winner, client, mesh) }))
}

function whyHidden(rule: KubeObject, winner: KubeObject | undefined, client: RuleClient, mesh: RuleMesh): string {
  const namespace = rule.metadata.namespace ?? ''
  if (namespace !== client.namespace && !isVisible(rule, client, mesh))
    return `its exportTo keeps it from namespace ${client.namespace}`
  if (selectorOf(rule) !== null && namespace !== client.namespace)
    return 'a workloadSelector counts only in its own namespace'
  if (winner && namespace === winner.metadata.namespace)
    return selectorOf(rule) === null
      ? 'another rule of the namespace is more specific'
      : 'its workloadSelector does not match'
  if (!winner)
    return namespace === client.namespace
      ? 'its workloadSelector does not match'
      : `namespace ${namespace} is neither the caller's, nor the Service's, nor the root namespace`
  return `namespace ${winner.metadata.namespace ?? ''} has a rule for the host and comes first`
}

/** Which block a setting of a port and subset comes from: blocks of a subset replace those of the host, port blocks replace all. */
export interface EffectiveBlock {
  // biome-ignore lint/suspicious/noExplicitAny: the block as written
  readonly value: any
  readonly object: KubeObject
  /** Path of the block inside `spec`. */
  readonly field: string
}

/** `tls`, `connectionPool`, `outlierDetection` or `loadBalancer` for one port and subset. `null`: nothing is said. */
export function effectiveBlock(
  rule: SelectedRule | null,
  block: string,
  port: number,
  subsetName: string,
): EffectiveBlock | null {
  if (!rule) return null
  const subset = subsetName === '' ? undefined : rule.subsets.find(({ name }) => name === subsetName)
  if (subset?.trafficPolicy) {
    const path = `subsets[${subset.name}].trafficPolicy`
    const found = blockOf(subset.trafficPolicy, subset.from, path, block, port)
    if (found !== undefined) return found
  }
  if (!rule.trafficPolicy || !rule.policyFrom) return null
  return blockOf(rule.trafficPolicy, rule.policyFrom, 'trafficPolicy', block, port) ?? null
}

/** `undefined`: this level says nothing, look one level up. `null`: it says that the default counts. */
function blockOf(
  policy: TrafficPolicy,
  object: KubeObject,
  path: string,
  block: string,
  port: number,
): EffectiveBlock | null | undefined {
  const settings = objectsIn(policy.portLevelSettings).find((entry) => entry?.port?.number === port)
  if (settings) {
    // A port's settings do not inherit: a block that is missing there is at its default.
    const value = settings[block] ?? null
    return value === null ? null : { value, object, field: `${path}.portLevelSettings[${port}].${block}` }
  }
  const value = policy[block] ?? null
  return value === null ? undefined : { value, object, field: `${path}.${block}` }
}

/** Oldest first; names decide between objects of the same second. */
export function byAge(a: KubeObject, b: KubeObject): number {
  const left = a.metadata.creationTimestamp ?? ''
  const right = b.metadata.creationTimestamp ?? ''
  if (left !== right) return left < right ? -1 : 1
  return compare(a.metadata.name, b.metadata.name) || compare(a.metadata.namespace ?? '', b.metadata.namespace ?? '')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
