import { objectText } from './config-object.ts'
import { parseClusterName } from './names.ts'
import type { TraceStep } from './trace-steps.ts'

/** Why the call ends at this step, and what a log says of it. */
export function brokenWords({ broken }: TraceStep): string | null {
  if (!broken) return null
  const seen = [broken.flag, broken.details].filter(Boolean).join(' ')
  return seen === '' ? broken.why : `${broken.why} (log: ${seen})`
}

/** The object that this step was made from. */
export function originOf({ kind, name, object }: TraceStep): string | null {
  if (object) return objectText(object)
  if (kind !== 'cluster') return null
  // Without a rule a cluster is made from its Service alone.
  const { role, host } = parseClusterName(name)
  const service = /^([^.]+)\.([^.]+)\.svc\./.exec(host ?? '')
  return role === 'outbound' && service ? `Service ${service[2]}/${service[1]}, no DestinationRule` : null
}

// biome-ignore lint/suspicious/noExplicitAny: facts of a step are written by src/mesh/trace and read field by field
type Facts = Readonly<Record<string, any>>

/** What a step of a trace decides, in words. */
export function stepText(step: TraceStep): string {
  const facts: Facts = step.facts
  switch (step.kind) {
    case 'listener':
      return step.name || 'none'
    case 'filter-chain':
      return step.broken ? 'none fits' : chainText(step.name, facts)
    case 'filter':
      return filterText(step.name, facts)
    case 'route':
      return routeText(step.name, facts)
    case 'cluster':
      return clusterText(step.name, facts)
    case 'endpoints':
      return endpointsText(facts)
    case 'transport-socket':
      return tlsText(facts)
    case 'hbone':
      return step.name
  }
}

function chainText(name: string, { tls, match }: Facts): string {
  const ends = { mtls: 'ends mutual TLS of the mesh', tls: 'ends TLS', none: 'takes plain bytes' }[String(tls)]
  const names = Array.isArray(match?.serverNames) ? `for ${match.serverNames.join(', ')}` : ''
  return [name, ends, names].filter(Boolean).join(', ')
}

function filterText(name: string, { kind, enforced, shadow, issuers, asks, failOpen }: Facts): string {
  switch (kind) {
    case 'rbac': {
      const said = enforced ? [`${enforced.action} ${policyNames(enforced.policies)}`] : []
      const dry = shadow ? [`dry run ${shadow.action} ${policyNames(shadow.policies)}`] : []
      return `policies: ${[...said, ...dry].join('; ') || 'no rules'}`
    }
    case 'jwt':
      return `tokens of ${(issuers as readonly string[]).join(', ') || 'no issuer'}`
    case 'ext-authz':
      return `external authorizer ${asks ?? 'not named'}${failOpen ? ', lets in when it does not answer' : ''}`
    default:
      return `${kind} (${name})`
  }
}

function policyNames(ids: readonly string[]): string {
  if (ids.length === 0) return 'nothing'
  const names = ids.map((id) => /^ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(id))
  const said = names.map((match, index) => (match ? `${match[1]}/${match[2]} rule ${match[3]}` : (ids[index] ?? '')))
  return said.length <= 4 ? said.join(', ') : `${said.slice(0, 4).join(', ')} and ${said.length - 4} more`
}

function routeText(name: string, facts: Facts): string {
  const { configuration, virtualHost, action, clusters, status, location, timeoutMs, retries, fault, mirrors } = facts
  const where = virtualHost ? `virtual host ${virtualHost}` : `route configuration ${configuration}`
  const split = Array.isArray(clusters) && clusters.length > 1
  const parts = [
    `${name || (action ? 'a route without a name' : 'none fits')} in ${where}`,
    ...(split ? [`splits ${clusters.map((one: Facts) => `${round(one.percent)} % ${one.name}`).join(', ')}`] : []),
    ...(action && action !== 'cluster'
      ? [`answers itself: ${status ?? action}${location ? ` to ${location}` : ''}`]
      : []),
    ...(timeoutMs ? [`timeout ${timeoutMs} ms`] : []),
    ...(retries?.attempts ? [`${retries.attempts} retries`] : []),
    ...(fault?.abort ? [`aborts ${round(fault.abort.percent)} % with ${fault.abort.status}`] : []),
    ...(fault?.delay ? [`delays ${round(fault.delay.percent)} %`] : []),
    ...(Array.isArray(mirrors) && mirrors.length > 0 ? ['mirrored'] : []),
    ...(facts.rewrittenPath ? [`path becomes ${facts.rewrittenPath}`] : []),
    ...(facts.rewrittenHost ? [`host becomes ${facts.rewrittenHost}`] : []),
  ]
  return parts.join('; ')
}

function clusterText(name: string, { percent, outlierDetection, limits, type }: Facts): string {
  const parts = [
    ...(typeof percent === 'number' && percent < 100 ? [`${round(percent)} % of the requests`] : []),
    ...(type === undefined ? [] : [`type ${type}`]),
    ...(outlierDetection ? ['outlier detection'] : []),
    ...Object.entries(limits ?? {}).map(([key, value]) => `${key} ${value}`),
  ]
  return `${name}${parts.length > 0 ? `; ${parts.join(', ')}` : ''}`
}

const mostAddresses = 4

function endpointsText({ all, originalDestination }: Facts): string {
  if (originalDestination) return 'the address that was dialled'
  const list: readonly Facts[] = Array.isArray(all) ? all : []
  if (list.length === 0) return 'none'
  const usable = list.filter((one) => one.usable)
  const bad = list.filter((one) => !one.usable).map((one) => `${one.address} ${one.ejected ? 'ejected' : one.health}`)
  const named = [...usable.map((one) => String(one.address)), ...bad]
  const more = named.length > mostAddresses ? ` and ${named.length - mostAddresses} more` : ''
  return `${usable.length} of ${list.length} usable: ${named.slice(0, mostAddresses).join(', ')}${more}`
}

export const wireWords: Readonly<Record<string, string>> = {
  'istio-mtls': 'mutual TLS of the mesh',
  plaintext: 'plaintext',
  'simple-tls': 'one-way TLS',
  'mutual-tls': 'mutual TLS with a certificate of its own',
  hbone: 'HBONE, a tunnel in mutual TLS',
  unknown: 'not known from the proxy alone',
}

function tlsText({ sends, sni, expectedSans }: Facts): string {
  const sans: readonly string[] = Array.isArray(expectedSans) ? expectedSans : []
  return [
    `sends ${wireWords[String(sends)] ?? sends}`,
    ...(sni ? [`SNI ${sni}`] : []),
    ...(sans.length > 0 ? [`expects ${sans.slice(0, 2).join(', ')}${sans.length > 2 ? ' …' : ''}`] : []),
  ].join('; ')
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10
}
