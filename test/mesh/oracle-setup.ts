import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type AccessDecision, decideAccess } from '../../src/mesh/access-decision.ts'
import type { AuthzRequest } from '../../src/mesh/authorize.ts'
import { defaultMeshConfig, type MeshConfig } from '../../src/mesh/mesh-config.ts'
import { serviceSni } from '../../src/mesh/names.ts'
import type { AuthnRequest } from '../../src/mesh/request-auth.ts'
import type { Workload } from '../../src/mesh/workload.ts'
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

/** All stages, as the server's proxy runs them. `change` takes attributes away to see whether we notice. */
export function predict(set: any, testCase: any, change: (request: any) => any = (request) => request): AccessDecision {
  const sentAt = testCase.request.sentAt ?? '2026-11-21T06:00:00Z'
  const request = change(requestOf(testCase))
  return decideAccess(request, set.objects, workloadOf(set, testCase.server), meshOf(set), Date.parse(sentAt) / 1000)
}
