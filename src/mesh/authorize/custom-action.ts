import type { KubeObject } from '../../model/kube.ts'
import { isAtLeast, type MeshConfig } from '../mesh-config.ts'
import type { ConsideredPolicy, Decider } from './authorization.ts'
import { brokenCustomId, firstId } from './rbac-id.ts'
import { type AuthzRequest, missing } from './request.ts'
import type { Unknown } from './three-valued.ts'

export type CustomVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'open'; readonly unknowns: readonly Unknown[] }
  | {
      readonly kind: 'denied'
      readonly by: Decider
      readonly rbacId: string | null
      readonly alsoMatches: readonly string[]
    }

/**
 * The stage before all others: rules only choose which calls an external authorizer is asked about. A provider that istiod cannot use turns
 * these rules into denials; an HTTP provider does not exist on TCP chains, and nobody is asked there.
 */
export function judgeCustom(
  considered: readonly ConsideredPolicy[],
  policies: readonly KubeObject[],
  request: AuthzRequest,
  mesh: MeshConfig,
): CustomVerdict {
  const inForce = considered.flatMap((policy, index) =>
    policy.action === 'CUSTOM' && policy.attaches !== false
      ? [{ policy, provider: String(policies[index]?.spec?.provider?.name ?? '') }]
      : [],
  )
  if (inForce.length === 0) return { kind: 'passed' }
  const providers = new Set(inForce.map(({ provider }) => provider))
  const deniesAll = !isAtLeast(mesh.istioVersion, 1, 20)
  const unknowns: Unknown[] = []
  const denials: { readonly id: string; readonly by: Decider }[] = []
  for (const { policy, provider } of inForce) {
    const state = providers.size > 1 ? 'several' : providerState(provider, request, mesh)
    if (state === 'skipped') continue
    const [namespace = '', name = ''] = policy.policy.split('/')
    for (const rule of policy.rules) {
      const isHit = rule.result === 'match' || (deniesAll && state === 'unusable')
      if (!isHit && rule.result === 'no-match') continue
      const isCertain = isHit && policy.attaches === true && !policy.dryRun
      if (isCertain && state === 'unusable')
        denials.push({
          id: brokenCustomId(mesh, provider, namespace, name, rule.index),
          by: {
            policy: policy.policy,
            action: 'CUSTOM',
            ruleIndex: rule.index,
            why: `provider "${provider}" cannot be used: ${rule.because}`,
          },
        })
      else if (isCertain && state === 'asked' && request.extAuthz === 'deny')
        return {
          kind: 'denied',
          by: { policy: policy.policy, action: 'CUSTOM', ruleIndex: rule.index, why: `provider "${provider}" said no` },
          rbacId: null,
          alsoMatches: [],
        }
      else if (!(isHit && state === 'asked' && request.extAuthz === 'allow'))
        unknowns.push(
          ...rule.unknowns,
          ...(state === 'asked' ? [missing('extAuthz')] : []),
          ...(state === 'unread' ? [missing('extensionProviders')] : []),
          ...(state === 'several' ? [severalProviders] : []),
        )
    }
  }
  const first = firstId(denials.map(({ id }) => id))
  const decider = denials.find(({ id }) => id === first)
  if (decider && first !== null)
    return {
      kind: 'denied',
      by: decider.by,
      rbacId: first,
      alsoMatches: denials.map(({ id }) => id).filter((id) => id !== first),
    }
  return unknowns.length > 0 ? { kind: 'open', unknowns } : { kind: 'passed' }
}

const severalProviders: Unknown = {
  attribute: 'several CUSTOM providers for one workload',
  wouldSettle: 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS of istiod: without it every fitting request is denied',
}

function providerState(
  name: string,
  request: AuthzRequest,
  mesh: MeshConfig,
): 'asked' | 'skipped' | 'unusable' | 'unread' {
  if (mesh.extensionProviders === null) return 'unread'
  const provider = mesh.extensionProviders.find((entry) => entry.name === name)
  if (provider?.kind !== 'envoyExtAuthzHttp' && provider?.kind !== 'envoyExtAuthzGrpc') return 'unusable'
  if (!provider.service || !provider.port) return 'unusable'
  return request.protocol === 'tcp' && provider.kind === 'envoyExtAuthzHttp' ? 'skipped' : 'asked'
}
