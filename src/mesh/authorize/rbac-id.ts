import { isAtLeast, type MeshConfig } from '../mesh-config.ts'

/** The name that Envoy prints for a rule. Blanks become `_` in logs. */
export function rbacId(namespace: string, name: string, ruleIndex: number): string {
  return `ns[${namespace}]-policy[${name}]-rule[${ruleIndex}]`
}

/** The name of a CUSTOM rule whose provider cannot be used: such a rule denies by itself. */
export function brokenCustomId(
  mesh: MeshConfig,
  provider: string,
  namespace: string,
  name: string,
  ruleIndex: number,
): string {
  if (!isAtLeast(mesh.istioVersion, 1, 20)) return 'default-deny-all-due-to-bad-CUSTOM-action'
  // The provider became part of the name when several providers per workload became possible.
  const prefix = provider && isAtLeast(mesh.istioVersion, 1, 30) ? `istio-ext-authz-${provider}-` : 'istio-ext-authz-'
  return `${prefix}${rbacId(namespace, name, ruleIndex)}-deny-due-to-bad-CUSTOM-action`
}

/** Envoy walks the ids sorted by bytes and stops at the first hit: `rule[10]` comes before `rule[2]`. */
export function firstId(ids: readonly string[]): string | null {
  return [...ids].sort(compareBytes)[0] ?? null
}

export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
