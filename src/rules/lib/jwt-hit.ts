import type { Fix, Hit, RuleOutcome } from '../../model/finding.ts'
import { quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { firstFailing } from './deciding-line.ts'
import { type JwtRefusal, jwtRefusalOf, jwtRulesOf, requestAuthAt } from './jwt-refusal.ts'
import { notSeen } from './not-seen.ts'
import { serverLogDecides } from './policy-fix.ts'
import { destinationName, tryAgain } from './words.ts'

/** What all rules about a refused token share: the line, and the RequestAuthentications that reach the proxy that wrote it. */
export function jwtHit(
  situation: Situation,
  refusal: JwtRefusal,
  words: { readonly title: string; readonly statement: string; readonly fix: Fix },
): Hit {
  const { policies } = refusal.pod ? requestAuthAt(situation, refusal.pod) : { policies: [] }
  const [policy] = policies
  return {
    subject: policy
      ? `RequestAuthentication ${policy.object.metadata.namespace}/${policy.object.metadata.name}`
      : destinationName(situation),
    title: words.title,
    // Statements begin with where it happened.
    statement: `${words.statement.charAt(0).toUpperCase()}${words.statement.slice(1)}`,
    certainty: refusal.certainty,
    supporting: [
      refusal.quote,
      ...policies.slice(0, 3).map((stored) =>
        quoteObject(
          stored,
          'the issuers and audiences it accepts',
          jwtRulesOf([stored]).map(({ issuer, audiences, jwksUri }) => ({ issuer, audiences, jwksUri })),
        ),
      ),
    ],
    contradicting: [],
    fix: words.fix,
    verify: tryAgain(situation, `no ${refusal.code ?? 401}, and no jwt_authn_access_denied in the new log line`),
    wouldDecide: refusal.certainty === 'proven' ? null : serverLogDecides(situation),
    about: 'call',
  }
}

/** No line with this refusal: another one was logged, or none. */
export function otherJwt(situation: Situation, refusal = jwtRefusalOf(situation)): RuleOutcome {
  if (refusal) return ruledOut(`the token was refused for another reason: ${refusal.reason}`, refusal.quote)
  if (situation.symptom !== '401' && situation.symptom !== '403') return quiet
  return notSeen(situation, firstFailing(situation), 'no failing line says jwt_authn_access_denied')
}

/** A change at whoever issues or carries the token; nothing in the mesh. */
export function tokenFix(statement: string, risk: string): Fix {
  return {
    statement,
    commands: [],
    scope: 'the callers that use such tokens',
    risk,
    undo: 'use the former token again',
  }
}

/** A change of one jwtRule; everything else in the object stays. */
export function jwtRuleFix(situation: Situation, refusal: JwtRefusal, statement: string, risk: string): Fix {
  const [policy] = refusal.pod ? requestAuthAt(situation, refusal.pod).policies : []
  const { name, namespace } = policy?.object.metadata ?? {}
  if (!policy) return { statement, commands: [], scope: destinationName(situation), risk, undo: 'take the change back' }
  const resource = 'requestauthentications.security.istio.io'
  return {
    statement,
    commands: [`kubectl -n ${namespace} edit ${resource} ${name}`],
    scope: `every workload that RequestAuthentication ${namespace}/${name} reaches`,
    risk,
    undo: `put it back as it was: kubectl -n ${namespace} get ${resource} ${name} -o yaml before the change`,
  }
}
