import type { ProxySecret } from '../../parsers/proxy-config-secret.ts'
import type { ZtunnelService } from '../../parsers/ztunnel-services.ts'
import type { ZtunnelWorkload } from '../../parsers/ztunnel-workloads.ts'
import { certificateDates, certificateIdentity } from '../mesh/certificate-dates.ts'
import type { TraceStep } from '../mesh/trace.ts'
import { brokenWords, originOf, stepText } from '../mesh/trace-words.ts'
import type { EvidenceEntry } from '../model/evidence.ts'
import type { LogData } from './exchanges.ts'
import { rolesWithPods, type Situation } from './situation.ts'
import { type TracedCall, type TracedRole, traceCallAt } from './tracing.ts'

/** What each answer means for this call: which route takes it, to which endpoints, who the proxy is. */
export function meanings(situation: Situation): (entry: EvidenceEntry) => string | null {
  const traces = new Map<string, TracedCall | null>()
  const traceOf = ({ role, name, namespace }: EvidenceEntry): TracedCall | null => {
    if (role === 'mesh' || role === 'ztunnel') return null
    const pod = rolesWithPods(situation, role).find((one) => one.name === name && one.namespace === namespace)
    if (!pod) return null
    const key = `${role} ${pod.name}.${pod.namespace}`
    const known = traces.get(key)
    if (known !== undefined) return known
    const traced = traceCallAt(situation, role satisfies TracedRole, pod)
    traces.set(key, traced)
    return traced
  }
  return (entry) => {
    switch (entry.probe) {
      case 'listeners':
      case 'routes':
      case 'clusters':
      case 'endpoints':
        return stepsSaid(traceOf(entry), entry.probe)
      case 'secrets':
        return certificateSaid(entry.data as readonly ProxySecret[]) // made by the probe of this name
      case 'ztunnelWorkloads':
        return workloadsSaid(situation, entry.data as readonly ZtunnelWorkload[]) // as above
      case 'ztunnelServices':
        return serviceSaid(situation, entry.data as readonly ZtunnelService[]) // as above
      case 'accessLog':
        return linesSaid(situation, entry)
      case 'proxyStatus':
        return syncSaid(situation)
      default:
        return null
    }
  }
}

type Part = 'listeners' | 'routes' | 'clusters' | 'endpoints'

const partOf: Readonly<Record<TraceStep['kind'], Part>> = {
  listener: 'listeners',
  'filter-chain': 'listeners',
  filter: 'listeners',
  route: 'routes',
  cluster: 'clusters',
  'transport-socket': 'clusters',
  hbone: 'clusters',
  endpoints: 'endpoints',
}

function stepsSaid(traced: TracedCall | null, part: Part): string | null {
  if (!traced) return null
  const { trace, request } = traced
  const said = trace.steps.filter((step) => partOf[step.kind] === part && saysMore(step)).map(stepSaid)
  if (said.length === 0) return null
  // A path that nobody told is assumed: which one this is about has to be said.
  const about = part === 'routes' && request ? `, asked for ${request.method} ${request.path}` : ''
  return `${said.join('; ')}${about}`
}

/** Chains without a name take any bytes. */
function saysMore({ kind, name, facts, broken }: TraceStep): boolean {
  if (broken) return true
  return kind === 'filter-chain' ? name !== '' || facts.tls !== 'none' : kind !== 'hbone'
}

function stepSaid(step: TraceStep): string {
  const broken = brokenWords(step)
  if (broken !== null) return step.kind === 'route' && step.name !== '' ? `route ${stepText(step)}, ${broken}` : broken
  switch (step.kind) {
    case 'route':
      return `${step.name === '' ? '' : 'route '}${withGoal(step)}${fromObject(step)}`
    case 'cluster':
      // How it is balanced is not what one asks here.
      return `cluster ${stepText({ ...step, facts: { ...step.facts, type: undefined } })}${fromObject(step)}`
    case 'transport-socket':
      // Labels of the endpoints decide, which this answer does not carry.
      return step.facts.sends === 'unknown'
        ? 'sends mutual TLS to pods with a sidecar, plaintext to others (auto mTLS)'
        : stepText(step)
    case 'listener':
      return `listener ${stepText(step)}`
    case 'endpoints':
      return stepText(step).replace(/ usable(?=:)/, ' endpoints usable')
    case 'filter-chain':
      return `chain ${stepText(step)}`
    default:
      return `${stepText(step)}${fromObject(step)}`
  }
}

function fromObject(step: TraceStep): string {
  const from = originOf(step)
  return from === null ? '' : `; from ${from}`
}

/** Where a route without weights leads stands first; a split says so itself. */
function withGoal(step: TraceStep): string {
  const { clusters } = step.facts
  const goal = Array.isArray(clusters) && clusters.length === 1 ? `; leads to ${clusters[0]?.name}` : ''
  return stepText(step).replace(/ in (?=virtual host |route configuration )/, `${goal}; in `)
}

function certificateSaid(secrets: readonly ProxySecret[]): string | null {
  const own = secrets.find(({ name }) => name === 'default')
  if (!own) return null
  if (own.state === 'warming') return 'the proxy waits for its own certificate: istiod has not sent one'
  const dates = certificateDates(own.pem)
  if (!dates) return null
  const identity = certificateIdentity(own.pem)
  const day = (time: string) => time.slice(0, 16).replace('T', ' ')
  return `own certificate; ${identity ? `for ${identity}, ` : ''}valid from ${day(dates.notBefore)} until ${day(dates.notAfter)} UTC`
}

/** How ztunnel treats the destination's pods: captured ones get HBONE, and what their waypoint is. */
function workloadsSaid({ server }: Situation, workloads: readonly ZtunnelWorkload[]): string | null {
  const told = server.pods.flatMap((pod) => {
    const known = workloads.find(({ name, namespace }) => name === pod.name && namespace === pod.namespace)
    if (!known) return []
    const captured = known.protocol === 'HBONE' ? 'in the mesh (HBONE)' : `not captured (${known.protocol})`
    const waypoint = known.waypoint && known.waypoint !== 'NA' && known.waypoint !== 'None' ? known.waypoint : null
    const { policies } = known
    return [
      `${pod.name} ${captured}${waypoint ? `, waypoint ${waypoint}` : ''}${policies && policies.length > 0 ? `, policies ${policies.join(', ')}` : ''}`,
    ]
  })
  return told.length === 0
    ? null
    : `${told.slice(0, 4).join('; ')}${told.length > 4 ? ` and ${told.length - 4} more` : ''}`
}

function serviceSaid({ server }: Situation, services: readonly ZtunnelService[]): string | null {
  const own = services.find(({ hostname }) => hostname !== null && hostname === server.host)
  if (!own) return null
  const { endpointsHealthy, endpointsTotal, waypoint } = own
  const endpoints = endpointsTotal === null ? '' : `, ${endpointsHealthy ?? '?'} of ${endpointsTotal} endpoints healthy`
  const through =
    waypoint && waypoint !== 'NA' && waypoint !== 'None' ? `goes through waypoint ${waypoint}` : 'has no waypoint'
  return `${own.name}.${own.namespace} ${through}${endpoints}`
}

/** The lines of this call among all, by what they say. */
function linesSaid({ lines }: Situation, { id, data }: EvidenceEntry): string | null {
  const own = lines.filter(({ entry }) => entry === id)
  if (own.length === 0) return isEmpty(data as LogData) ? null : 'no line of this call' // made by the probe of this name
  const kinds = new Map<string, number>()
  for (const { record } of own) {
    const word = [record.code || null, record.flags.join(',')].filter(Boolean).join(' ')
    const kind = word === '' ? 'no response code' : word
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const told = [...kinds].sort((a, b) => b[1] - a[1]).map(([kind, times]) => `${times} × ${kind}`)
  return `${told.slice(0, 4).join(', ')}${told.length > 4 ? ' and others' : ''} on this call`
}

function isEmpty({ records }: LogData): boolean {
  return records.length === 0
}

/** The proxies of this call among all. */
function syncSaid({ sync, client, server, gateway, waypoint }: Situation): string | null {
  const pods = [...client.pods, ...(gateway?.pods ?? []), ...(waypoint?.pods ?? []), ...server.pods]
  const seen = [...new Map(pods.map((pod) => [`${pod.name}.${pod.namespace}`, pod])).values()]
  const states = seen.flatMap((pod) => {
    const found = sync(pod)
    const types = Object.entries(found?.types ?? {})
    // A state that was not shown is not the same as a good one.
    if (!found?.statesShown || types.length === 0 || types.some(([, { state }]) => state === 'unknown')) return []
    const bad = types.filter(([, { state }]) => state === 'STALE' || state === 'ERROR')
    return [{ name: pod.name, bad: bad.map(([type, { state }]) => `${type} ${state}`).join(' ') }]
  })
  if (states.length === 0) return null
  const bad = states.filter((one) => one.bad !== '')
  const told = (bad.length > 0 ? bad : states).map(({ name, bad: types }) => (types === '' ? name : `${name} ${types}`))
  const named = `${told.slice(0, 4).join(', ')}${told.length > 4 ? ` and ${told.length - 4} more` : ''}`
  return bad.length > 0 ? named : `current: ${named}`
}
