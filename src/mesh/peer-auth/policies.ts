import type { KubeObject } from '../../model/kube.ts'
import type { Workload } from '../workload.ts'

export type MtlsMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT'

export function peerPolicies(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter(
    ({ kind, apiVersion }) => kind === 'PeerAuthentication' && apiVersion.startsWith('security.istio.io/'),
  )
}

/** `mtls` missing, empty or with an unknown mode all mean: ask the level above. */
export function modeOf(mtls: unknown): MtlsMode {
  const mode = mtls !== null && typeof mtls === 'object' && 'mode' in mtls ? mtls.mode : undefined
  return mode === 'DISABLE' || mode === 'PERMISSIVE' || mode === 'STRICT' ? mode : 'UNSET'
}

/** No selector, or one without labels: the policy is for its namespace, or in the root namespace for the mesh. */
export function isOverall(policy: KubeObject): boolean {
  return Object.keys(policy.spec?.selector?.matchLabels ?? {}).length === 0
}

export function selectsWorkload(policy: KubeObject, workload: Workload): boolean {
  return Object.entries(policy.spec?.selector?.matchLabels ?? {}).every(
    ([key, value]) => workload.labels[key] === value,
  )
}

/** Keys are container ports, whatever the Service calls them. */
export function portModes(policy: KubeObject): ReadonlyMap<number, MtlsMode> {
  return new Map(
    Object.entries(policy.spec?.portLevelMtls ?? {}).map(([port, mtls]) => [Number(port), modeOf(mtls)] as const),
  )
}

/** The oldest counts; objects of the same second are told apart by name, then namespace. */
export function oldestFirst(policies: readonly KubeObject[]): readonly KubeObject[] {
  const key = ({ metadata }: KubeObject) => [metadata.creationTimestamp ?? '', metadata.name, metadata.namespace ?? '']
  return [...policies].sort((a, b) => {
    const [left, right] = [key(a), key(b)]
    const index = left.findIndex((part, at) => part !== right[at])
    return index < 0 ? 0 : left[index]! < right[index]! ? -1 : 1
  })
}
