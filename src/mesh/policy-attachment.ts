import type { KubeObject } from '../model/kube.ts'
import type { AuthzRequest } from './authorize/request.ts'
import type { MeshConfig } from './mesh-config.ts'
import type { Labels, Workload } from './workload.ts'

export interface Attachment {
  /** `unknown`: it depends on which Service was addressed. */
  readonly attaches: boolean | 'unknown'
  readonly why: string
}

interface TargetRef {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace: string | null
}

/** Does the policy reach the proxy of this workload? The same rules hold for AuthorizationPolicy and RequestAuthentication. */
export function attachment(
  policy: KubeObject,
  workload: Workload,
  mesh: Pick<MeshConfig, 'rootNamespace'>,
  service?: AuthzRequest['service'],
): Attachment {
  const namespace = policy.metadata.namespace ?? ''
  const refs = targetRefs(policy)
  switch (workload.proxy) {
    case 'none':
      return no('nothing of the mesh runs at this pod, so nothing enforces policies')
    case 'ztunnel':
      return no('ztunnel enforces policies for other pods, not for itself')
    case 'waypoint':
      return refs.length > 0
        ? byRefs(refs, namespace, workload, mesh, service)
        : no('a waypoint only takes policies with targetRefs')
    case 'gateway-api':
      return refs.length > 0
        ? byRefs(refs, namespace, workload, mesh, service)
        : bySelector(policy, namespace, workload, mesh)
    case 'ambient': {
      if (refs.length > 0) return no('it has targetRefs: those are for waypoints and gateways, ztunnel does not get it')
      const selector = policy.spec?.selector
      // For sidecars an empty selector selects all; ztunnel's copy of the policy then selects no workload.
      if (selector && Object.keys(selector.matchLabels ?? {}).length === 0)
        return no('an empty selector attaches to nothing at ztunnel: leave the selector out')
      return bySelector(policy, namespace, workload, mesh)
    }
    case 'sidecar':
    case 'native-sidecar':
    case 'gateway':
      return refs.length > 0
        ? no('it has targetRefs: those are for waypoints and Gateway API gateways, this proxy ignores it')
        : bySelector(policy, namespace, workload, mesh)
  }
}

function bySelector(
  policy: KubeObject,
  namespace: string,
  workload: Workload,
  mesh: Pick<MeshConfig, 'rootNamespace'>,
): Attachment {
  const isRoot = namespace === mesh.rootNamespace
  if (!isRoot && namespace !== workload.namespace)
    return no(`it is in namespace ${namespace}, the workload is in ${workload.namespace}`)
  const labels: Labels = policy.spec?.selector?.matchLabels ?? {}
  const wanted = Object.entries(labels)
  const where = isRoot ? 'the root namespace' : `namespace ${namespace}`
  if (wanted.length === 0) return yes(isRoot ? 'it covers the whole mesh' : `it covers all of ${where}`)
  const differing = wanted.find(([key, value]) => workload.labels[key] !== value)
  if (differing) {
    const [key, value] = differing
    const has = workload.labels[key]
    return no(
      `its selector wants ${key}=${value}, the pod has ${has === undefined ? `no label ${key}` : `${key}=${has}`}`,
    )
  }
  return yes(`its selector ${wanted.map(([key, value]) => `${key}=${value}`).join(', ')} fits, from ${where}`)
}

function byRefs(
  refs: readonly TargetRef[],
  namespace: string,
  workload: Workload,
  mesh: Pick<MeshConfig, 'rootNamespace'>,
  service: AuthzRequest['service'],
): Attachment {
  const answers = refs.map((ref) => byRef(ref, namespace, workload, mesh, service))
  return (
    answers.find(({ attaches }) => attaches === true) ??
    answers.find(({ attaches }) => attaches === 'unknown') ?? {
      attaches: false,
      why: answers.map(({ why }) => why).join('; '),
    }
  )
}

function byRef(
  ref: TargetRef,
  namespace: string,
  workload: Workload,
  mesh: Pick<MeshConfig, 'rootNamespace'>,
  service: AuthzRequest['service'],
): Attachment {
  const name = `${ref.kind} ${ref.name}`
  if (ref.namespace !== null && ref.namespace !== namespace)
    return no(`${name} is in another namespace: a targetRef never reaches over`)
  const isWaypoint = workload.proxy === 'waypoint'
  if (ref.kind === 'Gateway' && ref.group === 'gateway.networking.k8s.io') {
    if (namespace !== workload.namespace)
      return no(`it is in namespace ${namespace}, the gateway is in ${workload.namespace}`)
    return ref.name === workload.gatewayName
      ? yes(`it targets ${name}`)
      : no(`it targets ${name}, this is ${workload.gatewayName}`)
  }
  if (ref.kind === 'GatewayClass' && ref.group === 'gateway.networking.k8s.io') {
    if (!isWaypoint || ref.name !== 'istio-waypoint') return no(`it targets ${name}`)
    return namespace === mesh.rootNamespace
      ? yes(`it targets all waypoints through ${name}`)
      : no(`${name} can only be targeted from the root namespace`)
  }
  const isService = ref.kind === 'Service' && (ref.group === '' || ref.group === 'core')
  const isEntry = ref.kind === 'ServiceEntry' && ref.group === 'networking.istio.io'
  if (!isService && !isEntry) return no(`nothing is known to attach by ${ref.group}/${name}`)
  if (!isWaypoint) return no(`it targets ${name}: only a waypoint enforces that`)
  if (service === undefined)
    return { attaches: 'unknown', why: `it targets ${name}: that depends on the Service that was addressed` }
  const fits = service?.kind === ref.kind && service.name === ref.name && service.namespace === namespace
  return fits ? yes(`it targets ${name}`) : no(`it targets ${name}, which is not what was addressed`)
}

/** The singular form only counts when the list is empty. */
export function targetRefs(policy: KubeObject): readonly TargetRef[] {
  const plural = policy.spec?.targetRefs
  const refs =
    Array.isArray(plural) && plural.length > 0 ? plural : policy.spec?.targetRef ? [policy.spec.targetRef] : []
  return refs.map((ref: Record<string, unknown>) => ({
    group: String(ref?.group ?? ''),
    kind: String(ref?.kind ?? ''),
    name: String(ref?.name ?? ''),
    namespace: typeof ref?.namespace === 'string' && ref.namespace !== '' ? ref.namespace : null,
  }))
}

/** Policies that reach none of the workloads that were looked at, with the reason for the nearest of them. */
export function unattached(
  policies: readonly KubeObject[],
  workloads: readonly Workload[],
  mesh: Pick<MeshConfig, 'rootNamespace'>,
): readonly { readonly policy: KubeObject; readonly why: readonly string[] }[] {
  return policies.flatMap((policy) => {
    const answers = workloads.map((workload) => ({ workload, ...attachment(policy, workload, mesh) }))
    if (answers.some(({ attaches }) => attaches !== false)) return []
    const near = answers.filter(({ workload }) => workload.namespace === policy.metadata.namespace)
    return [{ policy, why: [...new Set((near.length > 0 ? near : answers).map(({ why }) => why))] }]
  })
}

function yes(why: string): Attachment {
  return { attaches: true, why }
}

function no(why: string): Attachment {
  return { attaches: false, why }
}
