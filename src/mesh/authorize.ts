import type { KubeObject } from '../model/kube.ts'
import type { Authorization, ConsideredPolicy, ShadowResult } from './authorize/authorization.ts'
import { type Action, testEnvoyRule } from './authorize/envoy-rule.ts'
import { judgeAtEnvoy, judgeAtZtunnel } from './authorize/judge.ts'
import { rbacId } from './authorize/rbac-id.ts'
import { type AuthzRequest, missing } from './authorize/request.ts'
import { readRule } from './authorize/rule-shape.ts'
import { mergeUnknowns } from './authorize/three-valued.ts'
import { testZtunnelRule } from './authorize/ztunnel-rule.ts'
import type { MeshConfig } from './mesh-config.ts'
import { attachment } from './policy-attachment.ts'
import type { Workload } from './workload.ts'

export type {
  Authorization,
  ConsideredPolicy,
  ConsideredRule,
  Decider,
  ShadowResult,
} from './authorize/authorization.ts'
export type { Action } from './authorize/envoy-rule.ts'
export type { AuthzRequest } from './authorize/request.ts'
export type { Unknown } from './authorize/three-valued.ts'

/** What the enforcement point of a workload decides about a call: CUSTOM, DENY, ALLOW, and the default, in this order. */
export function authorize(
  request: AuthzRequest,
  policies: readonly KubeObject[],
  workload: Workload,
  mesh: MeshConfig,
): Authorization {
  if (request.protocol === undefined && workload.proxy !== 'ambient') {
    // Which chain handles the call decides a lot, but often both come to the same end.
    const [http, tcp] = [
      authorize({ ...request, protocol: 'http' }, policies, workload, mesh),
      authorize({ ...request, protocol: 'tcp' }, policies, workload, mesh),
    ]
    if (http.decision === tcp.decision) {
      const isSameId = http.rbacId === tcp.rbacId
      return {
        ...http,
        rbacId: isSameId ? http.rbacId : null,
        unknowns: mergeUnknowns([...http.unknowns, ...tcp.unknowns]),
      }
    }
    const unknowns = mergeUnknowns([missing('protocol'), ...http.unknowns, ...tcp.unknowns])
    return { ...http, decision: 'cannot-decide', by: null, rbacId: null, alsoMatches: [], unknowns }
  }
  const ours = policies.filter(isAuthorizationPolicy)
  const considered = ours.map((policy) => consider(policy, request, workload, mesh))
  const verdict =
    workload.proxy === 'ambient' ? judgeAtZtunnel(considered) : judgeAtEnvoy(considered, ours, request, mesh)
  return {
    ...verdict,
    considered,
    dryRun: considered.filter(({ dryRun, attaches }) => dryRun && attaches !== false).map(shadow),
    audit: considered
      .filter(({ action, dryRun, attaches }) => action === 'AUDIT' && !dryRun && attaches !== false)
      .map(shadow),
  }
}

export function isAuthorizationPolicy(object: KubeObject): boolean {
  return object.kind === 'AuthorizationPolicy' && object.apiVersion.startsWith('security.istio.io/')
}

function consider(policy: KubeObject, request: AuthzRequest, workload: Workload, mesh: MeshConfig): ConsideredPolicy {
  const { name, namespace = '' } = policy.metadata
  const { attaches, why } = attachment(policy, workload, mesh, request.service)
  const action = readAction(policy)
  const rules = attaches === false || !Array.isArray(policy.spec?.rules) ? [] : policy.spec.rules
  const seen = action === 'CUSTOM' && request.asArrived ? { ...request.asArrived, jwt: null } : request
  const protocol = request.protocol ? { protocol: request.protocol } : {}
  const context = { request: { ...seen, ...protocol }, workload, mesh, policyNamespace: namespace }
  const test = workload.proxy === 'ambient' ? testZtunnelRule : testEnvoyRule
  return {
    policy: `${namespace}/${name}`,
    action,
    attaches,
    why,
    dryRun: isDryRun(policy),
    rules: rules.map((rule: unknown, index: number) => {
      const { truth, because, dropped, ignoredFields, unknowns } = test(readRule(rule), action, context)
      const result = truth === 'yes' ? 'match' : truth === 'no' ? 'no-match' : 'unknown'
      return { index, id: rbacId(namespace, name, index), result, because, dropped, ignoredFields, unknowns }
    }),
  }
}

function readAction(policy: KubeObject): Action {
  const action = policy.spec?.action
  return action === 'DENY' || action === 'AUDIT' || action === 'CUSTOM' ? action : 'ALLOW'
}

/** As Go's ParseBool. */
function isDryRun(policy: KubeObject): boolean {
  return /^(1|t|T|TRUE|true|True)$/.test(policy.metadata.annotations?.['istio.io/dry-run'] ?? '')
}

function shadow({ policy, action, rules, attaches }: ConsideredPolicy): ShadowResult {
  const fit = rules.find(({ result }) => result === 'match') ?? rules.find(({ result }) => result === 'unknown')
  const result = fit === undefined ? 'no-match' : attaches === 'unknown' ? 'unknown' : fit.result
  return { policy, action, ruleIndex: fit?.index ?? null, result, why: fit?.because ?? 'no rule fits' }
}
