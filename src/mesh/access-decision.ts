import type { KubeObject } from '../model/kube.ts'
import { missing } from './authorize/request.ts'
import { mergeUnknowns, type Unknown } from './authorize/three-valued.ts'
import { type Authorization, type AuthzRequest, authorize } from './authorize.ts'
import type { MeshConfig } from './mesh-config.ts'
import { type PeerAuth, peerAuth } from './peer-auth.ts'
import { type AuthnRequest, afterRequestAuth, type RequestAuthResult, requestAuth } from './request-auth.ts'
import { hasEnvoy, type Workload } from './workload.ts'

export interface AccessDecision {
  readonly decision: 'allowed' | 'denied' | 'cannot-decide'
  /** Which stage said no. */
  readonly stage: 'peer-authentication' | 'request-authentication' | 'authorization' | null
  /** What the caller gets; `null` on connections, where there is no status. */
  readonly status: number | null
  /** RESPONSE_CODE_DETAILS or CONNECTION_TERMINATION_DETAILS of the server's line; `null` when it has none or it is open. */
  readonly details: string | null
  readonly peer: PeerAuth
  readonly authentication: RequestAuthResult
  readonly authorization: Authorization
  readonly unknowns: readonly Unknown[]
}

/**
 * All stages at the server in their order: transport, tokens, policies. A stage that stays open keeps the whole decision open, unless a later
 * one says no whatever the earlier one finds.
 */
export function decideAccess(
  request: AuthzRequest & AuthnRequest,
  objects: readonly KubeObject[],
  workload: Workload,
  mesh: MeshConfig,
  now: number,
): AccessDecision {
  const peer = peerAuth(workload, request.destinationPort ?? null, objects, mesh)
  const authentication = requestAuth(request, objects, workload, mesh, now, request.service)
  const authorization = authorize(afterRequestAuth(request, authentication), objects, workload, mesh)
  const parts = { peer, authentication, authorization }
  const isStrict = workload.proxy === 'ambient' ? peer.ambient?.refusesPlaintext === true : peer.mode === 'STRICT'
  const isEnforced = isStrict && (hasEnvoy(workload.proxy) || workload.proxy === 'ambient') && !isGateway(workload)

  if (isEnforced && request.sourcePrincipal === null)
    return { ...parts, decision: 'denied', stage: 'peer-authentication', status: null, details: null, unknowns: [] }
  // CUSTOM policies speak before tokens are looked at.
  const isCustom = authorization.decision === 'denied' && authorization.by?.action === 'CUSTOM'
  if (
    authentication.outcome === 'reject' &&
    request.protocol === 'http' &&
    !isCustom &&
    !(isEnforced && request.sourcePrincipal === undefined)
  ) {
    const { status, details } = mayAskFirst(authorization, request)
      ? { status: null, details: null }
      : { status: authentication.status, details: authentication.details }
    return { ...parts, decision: 'denied', stage: 'request-authentication', status, details, unknowns: [] }
  }
  const unknowns = mergeUnknowns([
    ...(isEnforced && request.sourcePrincipal === undefined ? [missing('sourcePrincipal')] : []),
    ...(authentication.outcome === 'reject' && request.protocol !== 'http' ? [missing('protocol')] : []),
    ...authentication.unknowns,
    ...authorization.unknowns,
  ])
  if (authorization.decision === 'denied') {
    // An open earlier stage may have said no first, with a text of its own.
    const isCertain = isCustom ? !(isEnforced && request.sourcePrincipal === undefined) : unknowns.length === 0
    const id = isCertain ? authorization.rbacId : null
    const status = isCertain && request.protocol === 'http' && hasEnvoy(workload.proxy) ? 403 : null
    const details = id === null ? null : `rbac_access_denied_matched_policy[${id.replaceAll(' ', '_')}]`
    return { ...parts, decision: 'denied', stage: 'authorization', status, details, unknowns: [] }
  }
  const decision = authorization.decision === 'allowed' && unknowns.length === 0 ? 'allowed' : 'cannot-decide'
  return {
    ...parts,
    decision,
    stage: null,
    status: null,
    details: null,
    unknowns: decision === 'allowed' ? [] : unknowns,
  }
}

/** An external authorizer that may refuse the request before its token is looked at, with an answer of its own. */
function mayAskFirst({ considered }: Authorization, { extAuthz }: AuthzRequest): boolean {
  return (
    extAuthz !== 'allow' &&
    considered.some(
      ({ action, attaches, rules }) =>
        action === 'CUSTOM' && attaches !== false && rules.some(({ result }) => result !== 'no-match'),
    )
  )
}

// Their listeners are configured by Gateway objects, not by PeerAuthentication.
function isGateway({ proxy }: Workload): boolean {
  return proxy === 'gateway' || proxy === 'gateway-api'
}
