import { expandTrustDomains, identityParts, matchesPrincipal } from '../../mesh/authorize/source-identity.ts'
import { editDistance } from '../../mesh/vocabulary.ts'
import { identityOf } from '../../mesh/workload.ts'
import type { Decider } from '../../model/finding.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'
import type { NearRule } from './allow-miss.ts'
import type { Refusal } from './refusal.ts'
import { fieldsOf, type RuleField } from './rule-fields.ts'

type Seen = Pick<Refusal, 'at' | 'exchange' | 'principal'>

/** Whom one value of a rule means. `null`: anybody of that kind. */
interface Named {
  readonly value: string
  readonly trustDomain: string | null
  readonly namespace: string
  readonly account: string | null
}

export interface MistakenIdentity {
  readonly remark: string
  /** Set where the name may as well be that of somebody who is not running just now. */
  readonly doubt: Decider | null
}

/** A rule that means this caller and spells it as nobody is called: another trust domain, a scheme, an account that is gone. */
export function mistakenIdentity(situation: Situation, refusal: Seen, near: NearRule): MistakenIdentity | null {
  const own = typeof refusal.principal === 'string' ? identityParts(refusal.principal) : null
  if (!own) return null
  const policyNamespace = near.policy.object.metadata.namespace ?? ''
  const fields = fieldsOf(near.rule).filter(({ kind, negated }) => kind === 'identity' && !negated)
  const gone: Named[] = []
  let living = false
  for (const field of fields)
    for (const value of field.values) {
      const named = namedBy(field, value, policyNamespace)
      if (value.startsWith('spiffe://') && isPrincipal(field.name))
        return {
          remark: `${value} starts with spiffe://, and principals are written without it: such a value never fits`,
          doubt: null,
        }
      const remark = named && misspelling(situation, refusal, named, own)
      if (remark) return { remark, doubt: null }
      if (named && isNobody(situation, named)) gone.push(named)
      else living = true
    }
  // A list of others who are alive is a list of others, unless one value in it can only be a misspelling of this caller.
  const relates = gone.filter((named) => isAlike(named, own) || (!living && named.namespace === own.namespace))
  if (relates.length === 0) return null
  const names = relates.map(({ value }) => value).join(' or ')
  const remark = `no pod runs as ${names}; the caller runs as ${own.namespace}/${own.serviceAccount}`
  return { remark, doubt: relates.some((named) => isAlike(named, own)) ? null : idleOrGone(relates) }
}

/** The account of a job that is not running now has no pod either. */
function idleOrGone(named: readonly Named[]): Decider {
  const [one] = named
  const account = one?.account ?? 'NAME'
  return account.includes('*')
    ? {
        command: `kubectl get serviceaccounts -n ${one?.namespace}`,
        why: `if no account fits ${account}, the rule spells this caller wrong; if one does, it is of somebody who is not running now, and this caller is simply not on the list`,
      }
    : {
        command: `kubectl get serviceaccount -n ${one?.namespace} ${account}`,
        why: `if it is not found, the rule names an account that is gone, probably a former one of this caller; if it is there, it is of somebody who is not running now, and this caller is simply not on the list`,
      }
}

function isPrincipal(name: string): boolean {
  return /principal/i.test(name)
}

function namedBy({ name }: RuleField, value: string, policyNamespace: string): Named | null {
  if (/namespace/i.test(name))
    return value.includes('*') ? null : { value, trustDomain: null, namespace: value, account: null }
  if (/serviceAccount/i.test(name)) {
    const [first = '', second] = value.split('/')
    return second === undefined
      ? { value, trustDomain: null, namespace: policyNamespace, account: first }
      : { value, trustDomain: null, namespace: first, account: second }
  }
  const parts = isPrincipal(name) ? identityParts(`spiffe://${value}`) : null
  if (!parts || parts.namespace.includes('*')) return null
  return { value, trustDomain: parts.trustDomain, namespace: parts.namespace, account: parts.serviceAccount }
}

/** The caller's own name in another trust domain or namespace, or the name of whoever stands before it. */
function misspelling(
  situation: Situation,
  refusal: Seen,
  named: Named,
  own: NonNullable<ReturnType<typeof identityParts>>,
): string | null {
  const { mesh, client } = situation
  const ours = [mesh.trustDomain, ...mesh.trustDomainAliases, 'cluster.local', '*']
  const isSame = named.namespace === own.namespace && named.account === own.serviceAccount
  if (isSame && named.trustDomain !== null && !ours.includes(named.trustDomain))
    return `${named.value} is in trust domain ${named.trustDomain}; the caller's is ${own.trustDomain}, and no alias joins them`
  const behind = refusal.exchange?.gateway || refusal.exchange?.waypoint ? client.pod : null
  if (
    behind &&
    refusal.at === 'server' &&
    behind.namespace === named.namespace &&
    (behind.serviceAccount === named.account || named.account === null)
  )
    return `${named.value} is the first caller; what opens the connection to the destination is ${refusal.principal}`
  if (named.account === own.serviceAccount && !named.value.includes('/') && isNobody(situation, named))
    return `serviceAccounts ${named.value} without a namespace means ${named.namespace}/${named.value}, the policy's own namespace; the caller runs as ${own.namespace}/${own.serviceAccount}`
  return null
}

/** True only when everything that could bear the name was read and nothing does. */
function isNobody({ store, pods, mesh }: Situation, { value, namespace, account, trustDomain }: Named): boolean {
  if (store.readable('Namespace', namespace) === 'yes' && store.get('Namespace', null, namespace) === null) return true
  if (store.readable('Pod', namespace) !== 'yes') return false
  const there = pods.filter((pod) => pod.namespace === namespace)
  if (account === null) return there.length === 0
  if (trustDomain === null) return !there.some(({ serviceAccount }) => serviceAccount === account)
  const spellings = expandTrustDomains(value, mesh)
  return !there.some((pod) =>
    spellings.some((one) => matchesPrincipal(one, identityOf(workloadOf(pod), mesh.trustDomain)) !== false),
  )
}

/** Names so much alike that one is the other before or after a rename, or mistyped. */
function isAlike(
  { namespace, account }: Named,
  own: { readonly namespace: string; readonly serviceAccount: string },
): boolean {
  if (account === null) return areAlike(namespace, own.namespace)
  if (namespace === own.namespace) return areAlike(account, own.serviceAccount)
  return account === own.serviceAccount && account !== 'default'
}

function areAlike(a: string, b: string): boolean {
  if (a.includes('*')) return false
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  if (short.length >= 3 && long.includes(short)) return true
  const limit = short.length < 5 ? 1 : 2
  return editDistance(a, b, limit) <= limit
}
