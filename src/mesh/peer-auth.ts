import type { KubeObject } from '../model/kube.ts'
import type { MeshConfig } from './mesh-config.ts'
import { type AmbientPeerAuth, ambientPeerAuth } from './peer-auth/ambient.ts'
import {
  isOverall,
  type MtlsMode,
  modeOf,
  oldestFirst,
  peerPolicies,
  portModes,
  selectsWorkload,
} from './peer-auth/policies.ts'
import type { Workload } from './workload.ts'

export type { MtlsMode } from './peer-auth/policies.ts'

export interface PeerAuth {
  readonly mode: Exclude<MtlsMode, 'UNSET'>
  /** Which level set the mode; `default` when nobody did. */
  readonly level: 'port' | 'workload' | 'namespace' | 'mesh' | 'default'
  /** The object that set it. */
  readonly winner: KubeObject | null
  /** Objects that were read and did not decide, with the reason. */
  readonly beaten: readonly { readonly policy: string; readonly why: string }[]
  /** Objects or parts of them that Istio ignores although they look effective. */
  readonly ignored: readonly { readonly policy: string; readonly why: string }[]
  /** For pods behind ztunnel, which only knows "plaintext refused" or not. */
  readonly ambient: AmbientPeerAuth | null
}

/** The mode at a container port of a workload: port, then workload, namespace, mesh, and PERMISSIVE if all are silent. */
export function peerAuth(
  workload: Workload,
  port: number | null,
  policies: readonly KubeObject[],
  mesh: Pick<MeshConfig, 'rootNamespace'>,
): PeerAuth {
  const all = peerPolicies(policies)
  const inNamespace = all.filter(({ metadata }) => metadata.namespace === workload.namespace)
  const isRoot = workload.namespace === mesh.rootNamespace
  const candidates = {
    mesh: oldestFirst(all.filter((policy) => policy.metadata.namespace === mesh.rootNamespace && isOverall(policy))),
    // In the root namespace a policy without selector is the mesh's, not the namespace's.
    namespace: oldestFirst(isRoot ? [] : inNamespace.filter(isOverall)),
    workload: oldestFirst(
      isRoot ? [] : inNamespace.filter((policy) => !isOverall(policy) && selectsWorkload(policy, workload)),
    ),
  }
  const beaten: { policy: string; why: string }[] = []
  let level: PeerAuth['level'] = 'default'
  let mode: PeerAuth['mode'] = 'PERMISSIVE'
  let winner: KubeObject | null = null
  for (const name of ['mesh', 'namespace', 'workload'] as const) {
    const [oldest, ...younger] = candidates[name]
    // The losers of a level are ignored as a whole, also where the winner is UNSET.
    for (const loser of younger)
      beaten.push({ policy: nameOf(loser), why: `${nameOf(oldest!)} is older on the same level (${name})` })
    if (!oldest) continue
    const own = modeOf(oldest.spec?.mtls)
    if (own === 'UNSET') {
      beaten.push({ policy: nameOf(oldest), why: `it sets no mode for the ${name}, so the level above counts` })
      continue
    }
    if (winner) beaten.push({ policy: nameOf(winner), why: `${nameOf(oldest)} is more specific (${name})` })
    ;[level, mode, winner] = [name, own, oldest]
  }
  const specific = candidates.workload[0]
  const portMode = port === null || !specific ? undefined : portModes(specific).get(port)
  if (specific && portMode !== undefined && portMode !== 'UNSET') {
    if (winner && winner !== specific)
      beaten.push({ policy: nameOf(winner), why: `${nameOf(specific)} is more specific (port ${port})` })
    ;[level, mode, winner] = ['port', portMode, specific]
  }
  return {
    mode,
    level,
    winner,
    beaten: beaten.filter(({ policy }) => winner === null || policy !== nameOf(winner)),
    ignored: ignored(all, workload, mesh),
    ambient: workload.proxy === 'ambient' ? ambientPeerAuth(workload, port, all, mesh) : null,
  }
}

function ignored(policies: readonly KubeObject[], workload: Workload, mesh: Pick<MeshConfig, 'rootNamespace'>) {
  return policies.flatMap((policy) => {
    const where = policy.metadata.namespace
    const found: { policy: string; why: string }[] = []
    if (where === mesh.rootNamespace && !isOverall(policy))
      found.push({
        policy: nameOf(policy),
        why: 'a selector in the root namespace: such a policy has no effect anywhere',
      })
    if (
      isOverall(policy) &&
      portModes(policy).size > 0 &&
      (where === workload.namespace || where === mesh.rootNamespace)
    )
      found.push({ policy: nameOf(policy), why: 'portLevelMtls needs a selector; the ports are ignored' })
    return found
  })
}

/** Modes of all ports that are named anywhere, with `null` for the rest. */
export function peerAuthByPort(
  workload: Workload,
  ports: readonly number[],
  policies: readonly KubeObject[],
  mesh: Pick<MeshConfig, 'rootNamespace'>,
): ReadonlyMap<number | null, PeerAuth> {
  return new Map([null, ...ports].map((port) => [port, peerAuth(workload, port, policies, mesh)]))
}

function nameOf(policy: KubeObject): string {
  return `${policy.metadata.namespace ?? ''}/${policy.metadata.name}`
}
