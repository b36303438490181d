import { attachment } from '../../mesh/policy-attachment.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import { workloadOf } from '../../situation/security.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { policyName } from './policy-fix.ts'
import { enforcerAt } from './refusal.ts'

export interface CustomPolicy {
  readonly policy: Stored
  readonly provider: string
}

/** The CUSTOM policies that reach the proxy that wrote a line, and whom they ask. */
export function providersOf(situation: Situation, line: Line): readonly CustomPolicy[] {
  const at = line.role === 'waypoint' || line.role === 'gateway' ? line.role : 'server'
  const pod = line.pod ?? enforcerAt(situation, at)
  if (!pod) return []
  return situation.store
    .list('AuthorizationPolicy')
    .filter(
      ({ object }) =>
        object.spec?.action === 'CUSTOM' && attachment(object, workloadOf(pod), situation.mesh).attaches !== false,
    )
    .map((policy) => ({ policy, provider: String(policy.object.spec?.provider?.name ?? '') }))
}

export function quoteCustom(custom: readonly CustomPolicy[]): Quote[] {
  return custom
    .slice(0, 3)
    .map(({ policy, provider }) =>
      quoteObject(policy, `${policyName(policy)} asks provider "${provider}"`, policy.object.spec),
    )
}

/** Which providers the mesh configuration knows: a policy that names another one is broken. */
export function quoteProviders(situation: Situation): Quote[] {
  const { extensionProviders } = situation.mesh
  if (situation.meshEntry === null || extensionProviders === null) return []
  const known = extensionProviders.map(
    ({ name, kind, service, port }) => `${name} (${kind ?? 'no kind'} ${service ?? ''}:${port ?? ''})`,
  )
  return [
    quote(
      situation.meshEntry,
      'the providers that the mesh configuration knows',
      known.join(', ') || 'extensionProviders: none',
    ),
  ]
}
