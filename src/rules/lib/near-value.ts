import { normalisePath } from '../../mesh/authorize/path-normalise.ts'
import { identityParts } from '../../mesh/authorize/source-identity.ts'
import type { AuthzRequest } from '../../mesh/authorize.ts'
import type { Situation } from '../../situation/situation.ts'
import type { Judged } from './allow-miss.ts'
import { fieldsOf, type RawRule } from './rule-fields.ts'

/** A rule that means this caller and spells it as nobody is called: another trust domain, a scheme, an account that is gone. */
export function mistakenIdentity(situation: Situation, refusal: Judged, rule: RawRule): string | null {
  const own = typeof refusal.principal === 'string' ? identityParts(refusal.principal) : null
  if (!own) return null
  const { mesh } = situation
  const ours = [mesh.trustDomain, ...mesh.trustDomainAliases, 'cluster.local']
  const fields = fieldsOf(rule).filter(({ kind, negated }) => kind === 'identity' && !negated)
  const gone: string[] = []
  let living = false
  for (const value of fields.flatMap(({ name, values }) => (/principal/i.test(name) ? values : []))) {
    if (value.startsWith('spiffe://'))
      return `${value} starts with spiffe://, and principals are written without it: such a value never fits`
    const named = identityParts(`spiffe://${value}`)
    if (!named) return null
    const isSame = named.namespace === own.namespace && named.serviceAccount === own.serviceAccount
    if (isSame && !ours.includes(named.trustDomain))
      return `${value} is in trust domain ${named.trustDomain}; the caller's is ${own.trustDomain}, and no alias joins them`
    const behind = refusal.exchange?.gateway || refusal.exchange?.waypoint ? situation.client.pod : null
    if (
      behind &&
      refusal.at === 'server' &&
      behind.namespace === named.namespace &&
      behind.serviceAccount === named.serviceAccount
    )
      return `${value} is the first caller; what opens the connection to the destination is ${refusal.principal}`
    if (isNobody(situation, named)) gone.push(value)
    else living = true
  }
  if (living || gone.length === 0 || fields.some(({ name }) => !/principal/i.test(name))) return null
  const relates = gone.some((value) => {
    const named = identityParts(`spiffe://${value}`)
    return named?.namespace === own.namespace || named?.serviceAccount === own.serviceAccount
  })
  return relates
    ? `no pod runs as ${gone.join(' or ')}; the caller runs as ${own.namespace}/${own.serviceAccount}`
    : null
}

/** True only when all pods of that namespace were read and none runs under that account. */
function isNobody(
  situation: Situation,
  { namespace, serviceAccount }: { namespace: string; serviceAccount: string },
): boolean {
  if (situation.store.readable('Pod', namespace) !== 'yes') return false
  return !situation.pods.some((pod) => pod.namespace === namespace && pod.serviceAccount === serviceAccount)
}

/** The same path or host in another spelling, which the rule would take. */
export function otherSpelling(
  situation: Situation,
  { exchange, line }: Judged,
  request: AuthzRequest,
  fits: (changed: AuthzRequest) => boolean,
): string | null {
  const { path, host } = request
  const front = exchange?.client ?? exchange?.gateway ?? null
  if (path !== undefined) {
    const bare = path.split('?', 1)[0] ?? path
    const decoded = normalisePath(bare, 'DECODE_AND_MERGE_SLASHES')
    const candidates: readonly (readonly [string, string])[] = [
      [bare.endsWith('/') ? bare.replace(/\/+$/, '') || '/' : `${bare}/`, 'differs by a slash at the end'],
      [
        decoded.kind === 'path' ? decoded.path : bare,
        `differs once escapes and double slashes are resolved, which normalization ${situation.mesh.pathNormalization} does not do`,
      ],
      [bare.toLowerCase(), 'differs in upper and lower case'],
      ...(front && front !== line && front.record.path && front.record.path !== path
        ? ([
            [front.record.path, `is what the caller sent; a route rewrote it to ${path} before the policy saw it`],
          ] as const)
        : []),
    ]
    const near = candidates.find(([candidate]) => candidate !== bare && fits({ ...request, path: candidate }))
    if (near) return `the path is ${bare}, the rule would take ${near[0]}, which ${near[1]}`
  }
  if (host !== undefined) {
    const bare = host.replace(/:\d+$/, '')
    const port = situation.server.portNumber
    const candidates = [
      ...(bare === host ? (port === null ? [] : [`${host}:${port}`]) : [bare]),
      ...(situation.server.host ? [situation.server.host, `${situation.server.host}:${port}`] : []),
      ...(front?.record.authority && front !== line ? [front.record.authority] : []),
    ]
    const near = candidates.find((candidate) => candidate !== host && fits({ ...request, host: candidate }))
    if (near) return `the host is ${host}, the rule would take ${near}`
  }
  return null
}

/** The address the rule means stands in X-Forwarded-For; what the rule is compared with is somebody in between. */
export function forwardedAddress(
  { line }: Judged,
  request: AuthzRequest,
  fits: (changed: AuthzRequest) => boolean,
): string | null {
  const entries = (line?.record.forwardedFor ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
  const fitting = entries.find(
    (ip) => (ip !== request.sourceIp || ip !== request.remoteIp) && fits({ ...request, sourceIp: ip, remoteIp: ip }),
  )
  if (fitting === undefined) return null
  return `X-Forwarded-For holds ${fitting}, which the rule would take; it is compared with ${request.sourceIp ?? 'the direct peer'}${request.remoteIp && request.remoteIp !== request.sourceIp ? ` and ${request.remoteIp}` : ''}`
}
