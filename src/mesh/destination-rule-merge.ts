import type { KubeObject } from '../model/kube.ts'
import type { RuleClient, RuleMesh } from './destination-rule.ts'

export interface MergedEntry {
  readonly rules: KubeObject[]
  readonly selector: Readonly<Record<string, string>> | null
  readonly exportTo: ReadonlySet<string>
}

/**
 * istiod merges rules of one host and namespace one after the other, oldest first. Only equal selectors and exportTo make one entry
 * of two rules; a rule that differs becomes an entry of its own, and may still add its subsets to the older one.
 */
export function mergeEntries(rules: readonly KubeObject[], mesh: RuleMesh): readonly MergedEntry[] {
  const entries: MergedEntry[] = []
  for (const rule of rules) {
    const selector = selectorOf(rule)
    const exportTo = exportSet(rule, mesh)
    let separate = true
    for (const entry of entries) {
      const sameExport = isSuperset(exportTo, entry.exportTo) && exportTo.size === entry.exportTo.size
      if (!sameExport && !isSuperset(exportTo, entry.exportTo)) continue
      const bothSelect = selector !== null && entry.selector !== null
      if (bothSelect && !equalLabels(selector, entry.selector)) continue
      entry.rules.push(rule)
      if (sameExport && (selector === null) === (entry.selector === null)) separate = false
    }
    if (separate) entries.push({ rules: [rule], selector, exportTo })
  }
  return entries
}

/** The entry whose workloadSelector fits, else the last one for everybody. */
export function forClient(entries: readonly MergedEntry[], client: RuleClient): MergedEntry | null {
  let forAll: MergedEntry | null = null
  for (const entry of entries) {
    if (entry.selector === null) forAll = entry
    else if (
      !client.gateway &&
      entry.rules[0]?.metadata.namespace === client.namespace &&
      selects(entry.selector, client.labels)
    )
      return entry
  }
  return forAll
}

function exportSet(rule: KubeObject, mesh: RuleMesh): ReadonlySet<string> {
  const own: unknown = rule.spec?.exportTo
  const targets =
    Array.isArray(own) && own.length > 0 ? (own as string[]) : (mesh.defaultDestinationRuleExportTo ?? ['*'])
  return new Set(targets.map((target) => (target === '.' ? (rule.metadata.namespace ?? '') : target)))
}

function isSuperset(large: ReadonlySet<string>, small: ReadonlySet<string>): boolean {
  return [...small].every((entry) => large.has(entry))
}

function equalLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>> | null): boolean {
  if (b === null) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

export function selectorOf(rule: KubeObject): Readonly<Record<string, string>> | null {
  const labels = rule.spec?.workloadSelector?.matchLabels
  // An empty selector selects nobody in particular.
  return labels && Object.keys(labels).length > 0 ? labels : null
}

function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}
