import type { KubeObject } from '../../model/kube.ts'
import type { MeshConfig } from '../mesh-config.ts'
import type { Workload } from '../workload.ts'
import { isOverall, type MtlsMode, modeOf, oldestFirst, portModes, selectsWorkload } from './policies.ts'

/** What ztunnel makes of PeerAuthentication: DENY policies against callers without identity. */
export interface AmbientPeerAuth {
  readonly refusesPlaintext: boolean
  /** Names that ztunnel prints in a refusal. They stand for the PeerAuthentication in `from`. */
  readonly deniedBy: readonly string[]
  readonly from: string | null
  /** A combination in which istiod names a converted policy that it does not send, read in source and not seen on a mesh. */
  readonly suspicion: string | null
}

export function ambientPeerAuth(
  workload: Workload,
  port: number | null,
  policies: readonly KubeObject[],
  mesh: Pick<MeshConfig, 'rootNamespace'>,
): AmbientPeerAuth {
  const inNamespace = policies.filter(({ metadata }) => metadata.namespace === workload.namespace)
  const isRoot = workload.namespace === mesh.rootNamespace
  // The mesh's policy must have no selector at all here; for sidecars an empty one is as good.
  const root = oldestFirst(
    policies.filter(({ metadata, spec }) => metadata.namespace === mesh.rootNamespace && !spec?.selector),
  )[0]
  const namespace = isRoot ? undefined : oldestFirst(inNamespace.filter(isOverall))[0]
  const own = isRoot
    ? undefined
    : oldestFirst(inNamespace.filter((policy) => !isOverall(policy) && selectsWorkload(policy, workload)))[0]
  const [rootMode, namespaceMode, ownMode] = [root, namespace, own].map((policy) => modeOf(policy?.spec?.mtls)) as [
    MtlsMode,
    MtlsMode,
    MtlsMode,
  ]
  const parentSource = namespaceMode !== 'UNSET' ? namespace : root
  const isParentStrict = (namespaceMode !== 'UNSET' ? namespaceMode : rootMode) === 'STRICT'
  const isStrict = ownMode === 'UNSET' ? isParentStrict : ownMode === 'STRICT'
  const ports = own ? [...portModes(own)] : []
  const lax = ports.filter(([, mode]) => mode === 'PERMISSIVE' || mode === 'DISABLE').map(([number]) => number)
  const strict = ports.filter(([, mode]) => mode === 'STRICT').map(([number]) => number)

  const staticName = `${mesh.rootNamespace}/istio_converted_static_strict`
  const convertedName = own ? `${workload.namespace}/converted_peer_authentication_${own.metadata.name}` : ''
  const source = nameOf(ownMode === 'UNSET' ? parentSource : own)
  // Under an inherited STRICT only PERMISSIVE ports count as exceptions: DISABLE ones stay strict.
  const hasException = ownMode === 'STRICT' ? lax.length > 0 : ports.some(([, mode]) => mode === 'PERMISSIVE')
  if (isStrict && !hasException)
    return { refusesPlaintext: true, deniedBy: [staticName], from: source, suspicion: null }
  if (!own || (isStrict ? !hasException : strict.length === 0))
    return { refusesPlaintext: false, deniedBy: [], from: null, suspicion: null }

  const suspicion = missingConversion({ rootMode, namespaceMode, ownMode, isNamespacePresent: namespace !== undefined })
  if (suspicion) return { refusesPlaintext: false, deniedBy: [], from: nameOf(own), suspicion }
  const refuses = port === null ? isStrict : isStrict ? !lax.includes(port) : strict.includes(port)
  return { refusesPlaintext: refuses, deniedBy: refuses ? [convertedName] : [], from: nameOf(own), suspicion: null }
}

function missingConversion(levels: {
  readonly rootMode: MtlsMode
  readonly namespaceMode: MtlsMode
  readonly ownMode: MtlsMode
  readonly isNamespacePresent: boolean
}): string | null {
  const { rootMode, namespaceMode, ownMode, isNamespacePresent } = levels
  if (rootMode !== 'STRICT' || namespaceMode !== 'UNSET') return null
  const text =
    'ztunnel is told of a converted policy that istiod does not send: plaintext is accepted, and ztunnel warns of an unknown policy'
  if (ownMode === 'UNSET' && isNamespacePresent) return text
  if (ownMode === 'PERMISSIVE') return text
  return null
}

function nameOf(policy: KubeObject | undefined): string | null {
  return policy ? `${policy.metadata.namespace ?? ''}/${policy.metadata.name}` : null
}
