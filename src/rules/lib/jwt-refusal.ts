import { attachment } from '../../mesh/policy-attachment.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { policiesReadable, workloadOf } from '../../situation/security.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { enforcerAt, linesThatDecide, placeName, placeOf } from './refusal.ts'

/** A token that a proxy's JWT filter refused, and the filter's words for why, with blanks. */
export interface JwtRefusal {
  readonly reason: string
  readonly where: string
  readonly pod: PodView | null
  readonly code: number | null
  readonly time: string | null
  readonly quote: Quote
  /** A body alone could be an imitation. */
  readonly certainty: 'proven' | 'likely'
}

const denied = /jwt_authn_access_denied\{(.*)\}/

export function jwtRefusalOf(situation: Situation): JwtRefusal | null {
  const { sample, failing } = situation
  for (const exchange of [...(sample ? [sample] : []), ...[...failing].reverse()]) {
    for (const line of linesThatDecide(exchange)) {
      const reason = denied.exec(line?.record.details ?? '')?.[1]
      if (!line || reason === undefined) continue
      const at = placeOf(exchange, line)
      const where = placeName(at)
      const words = reason.replaceAll('_', ' ')
      return {
        reason: words,
        where,
        pod: line.pod ?? enforcerAt(situation, at),
        code: line.record.code,
        time: line.record.time,
        quote: quoteLine(line, `${where} refused the token: ${words}`),
        certainty: 'proven',
      }
    }
  }
  return byBody(situation)
}

/** The same words as the caller got them, where no line of a proxy is there. */
function byBody(situation: Situation): JwtRefusal | null {
  const { curl } = situation.pasted
  const body = curl?.body?.trim() ?? ''
  if (!/^(Jwt|Jwks|Audiences in Jwt) /.test(body) || (curl?.status !== 401 && curl?.status !== 403)) return null
  if (situation.failing.some(({ server, waypoint }) => server ?? waypoint)) return null
  return {
    reason: body,
    where: 'a proxy of the mesh',
    pod: situation.server.pod,
    code: curl.status,
    time: null,
    quote: quote('given', 'the body is one that the JWT filter of a proxy writes', body.slice(0, 200)),
    certainty: 'likely',
  }
}

/** The RequestAuthentications that reach a pod, and whether all were read. */
export function requestAuthAt(
  situation: Situation,
  pod: PodView,
): { readonly policies: readonly Stored[]; readonly complete: boolean } {
  const { service } = situation.server
  const addressed = service
    ? {
        kind: 'Service' as const,
        namespace: service.object.metadata.namespace ?? '',
        name: service.object.metadata.name,
      }
    : undefined
  return {
    policies: situation.store
      .list('RequestAuthentication')
      .filter(({ object }) => attachment(object, workloadOf(pod), situation.mesh, addressed).attaches === true),
    complete: policiesReadable(situation, 'RequestAuthentication', pod.namespace),
  }
}

export interface JwtRuleView {
  readonly policy: Stored
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly jwksUri: string | null
  readonly inline: boolean
}

export function jwtRulesOf(policies: readonly Stored[]): readonly JwtRuleView[] {
  return policies.flatMap((policy) => {
    const rules: unknown = policy.object.spec?.jwtRules
    if (!Array.isArray(rules)) return []
    return rules.map((rule) => ({
      policy,
      issuer: String(rule?.issuer ?? ''),
      audiences: Array.isArray(rule?.audiences) ? rule.audiences.map(String) : [],
      jwksUri: typeof (rule?.jwksUri ?? rule?.jwks_uri) === 'string' ? String(rule.jwksUri ?? rule.jwks_uri) : null,
      inline: typeof rule?.jwks === 'string' && rule.jwks !== '',
    }))
  })
}

/** What a token says under a name, where the person told its claims. */
export function claimText({ given }: Situation, claim: string): string | null {
  const value = given.jwtClaims?.[claim]
  if (value === undefined || value === null) return null
  return Array.isArray(value) ? value.join(', ') : String(value)
}
