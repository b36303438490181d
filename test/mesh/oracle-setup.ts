import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AuthzRequest } from '../../src/mesh/authorize.ts'
import { type Authorization, authorize } from '../../src/mesh/authorize.ts'
import { defaultMeshConfig, type MeshConfig } from '../../src/mesh/mesh-config.ts'
import { serviceSni } from '../../src/mesh/names.ts'
import { type AuthnRequest, afterRequestAuth, requestAuth } from '../../src/mesh/request-auth.ts'
import type { Workload } from '../../src/mesh/workload.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { readJson, sharedFolder } from '../helpers/shared.ts'

/** A file of the oracle: one set of objects, many requests with what a real mesh answered. */
export function oracleSets(area: 'authz' | 'jwt'): any[] {
  const folder = join(sharedFolder, 'oracle', area)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => /\.json(\.gz)?$/.test(file))
    .sort()
    .map((file) => readJson(join(folder, file)))
}

export function meshOf(set: any): MeshConfig {
  // The oracle's mesh has no extension providers.
  return { ...defaultMeshConfig, extensionProviders: [], ...set.mesh }
}

export function workloadOf(set: any, pod: string): Workload {
  const { namespace, labels, serviceAccount, ip, sidecar } = set.workloads.pods[pod]
  const proxy = sidecar ? ('sidecar' as const) : ('none' as const)
  return { name: pod, namespace, labels, serviceAccount, ip, proxy, gatewayName: null }
}

/** What the recording says about the call, and nothing that the answer gives away. */
export function requestOf({ request }: any): AuthzRequest & AuthnRequest {
  const { destination, headers = [], sourcePrincipal } = request
  const viaMesh = typeof sourcePrincipal === 'string'
  return {
    protocol: request.protocol,
    ...(request.method === undefined
      ? {}
      : { method: request.method, path: request.path, host: request.host, headers }),
    ...(sourcePrincipal === undefined ? {} : { sourcePrincipal }),
    sourceIp: request.sourceIp,
    destinationPort: destination.targetPort ?? destination.port,
    ...(viaMesh ? { sni: serviceSni(destination.port, '', destination.service) } : {}),
    ...(sourcePrincipal === null ? { sni: request.appTls?.sni ?? null } : {}),
    signature: ({ claims }) => signatureOf(request, claims),
  }
}

/** Signatures were replaced by `sig`; what they were worth is written beside the token. */
function signatureOf(request: any, claims: unknown): 'valid' | 'invalid' | 'unknown' {
  const tokens: any[] = request.tokens ?? (request.jwt ? [request.jwt] : [])
  const text = JSON.stringify(claims)
  const signatures = tokens
    .filter((token) => JSON.stringify(token.claims) === text)
    .map((token) => String(token.signature))
  if (signatures.length === 0) return 'unknown'
  return signatures.every((signature) => /^valid|second key/.test(signature)) ? 'valid' : 'invalid'
}

export interface Prediction {
  readonly answer: 'allowed' | 'denied' | 'cannot-decide'
  readonly details: string | null
  readonly authorization: Authorization | null
  readonly authentication: ReturnType<typeof requestAuth>
}

/** Both stages, as the server's proxy runs them: a bad token is refused before any policy. */
export function predict(set: any, testCase: any, change: (request: any) => any = (request) => request): Prediction {
  const [mesh, workload] = [meshOf(set), workloadOf(set, testCase.server)]
  const objects: KubeObject[] = set.objects
  const request = change(requestOf(testCase))
  const sentAt = testCase.request.sentAt ?? '2026-11-21T06:00:00Z'
  const authentication = requestAuth(request, objects, workload, mesh, new Date(sentAt).getTime() / 1000)
  if (authentication.outcome === 'reject')
    return { answer: 'denied', details: authentication.details, authorization: null, authentication }
  const authorization = authorize(afterRequestAuth(request, authentication), objects, workload, mesh)
  const isOpen = authentication.outcome === 'cannot-decide' && authorization.decision === 'allowed'
  const id = authorization.rbacId
  return {
    answer: isOpen ? 'cannot-decide' : authorization.decision,
    details: id === null ? null : `rbac_access_denied_matched_policy[${id}]`,
    authorization,
    authentication,
  }
}
