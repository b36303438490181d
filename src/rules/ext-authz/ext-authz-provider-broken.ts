import { fired, type Hit, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type CustomPolicy, providersOf, quoteCustom, quoteProviders } from '../lib/custom-policies.ts'
import { failingLines, firstFailing } from '../lib/deciding-line.ts'
import { notSeen } from '../lib/not-seen.ts'
import { looseFix, serverLogDecides } from '../lib/policy-fix.ts'
import { unloggedRefusal } from '../lib/unlogged-refusal.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const badCustom = /due[-_]to[-_]bad[-_]CUSTOM[-_]action/
const policyInId = /ns\[([^\]]+)\]-policy\[([^\]]+)\]/

/** Nobody decided against the caller: the authorizer could not be asked, and then the answer is no. */
export default defineRule({
  code: 'ext-authz-provider-broken',
  layer: 'ext-authz',
  severity: 'error',
  explains: ['403', 'reset', '500', '503', 'unknown'],
  title: 'A CUSTOM policy asks an authorizer that cannot be asked',
  why: 'A provider that istiod does not know, or a service that does not answer, turns every request that the CUSTOM policy covers into a refusal.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authorization/authz-custom/'],
  check(situation) {
    const lines = failingLines(
      situation,
      ({ record }) =>
        badCustom.test(`${record.details} ${record.termination}`) ||
        /^ext_authz_(error|invalid)/.test(record.details ?? ''),
    )
    const line = lines.at(-1)
    if (line) return fired(logged(situation, line))
    return withoutLine(situation)
  },
})

function withoutLine(situation: Situation): RuleOutcome {
  const [denied] = failingLines(situation, ({ record }) => record.details === 'ext_authz_denied')
  if (denied)
    return ruledOut('the authorizer was asked and answered', quoteLine(denied, 'ext_authz_denied is an answer'))
  const guess = unloggedRefusal(situation)
  if (guess?.decision.by?.action !== 'CUSTOM')
    return notSeen(situation, firstFailing(situation), 'no failing line says that an authorizer could not be asked')
  return fired({
    ...base(situation, [], guess.decision.by.why),
    certainty: 'likely',
    supporting: [...guess.supporting, ...quoteProviders(situation)],
    contradicting: guess.contradicting,
    wouldDecide: serverLogDecides(situation),
  })
}

function logged(situation: Situation, line: Line): Hit {
  const { record } = line
  const custom = providersOf(situation, line)
  const [, namespace, name] = policyInId.exec(`${record.details} ${record.termination}`) ?? []
  const named = custom.filter(
    ({ policy: { object } }) => object.metadata.namespace === namespace && object.metadata.name === name,
  )
  const chosen = named.length > 0 ? named : custom
  const why = badCustom.test(`${record.details} ${record.termination}`)
    ? 'istiod cannot use the provider that the policy names, so its rules deny by themselves and no authorizer is asked'
    : record.details?.startsWith('ext_authz_invalid')
      ? 'the authorizer answered with something the proxy cannot use'
      : 'the authorizer was not reachable or did not answer in time, and failOpen is off'
  return {
    ...base(situation, chosen, why),
    certainty: 'proven',
    supporting: [quoteLine(line, why), ...quoteCustom(chosen), ...quoteProviders(situation)],
    contradicting: [],
    wouldDecide: null,
  }
}

function base(
  situation: Situation,
  custom: readonly CustomPolicy[],
  why: string,
): Pick<Hit, 'subject' | 'title' | 'statement' | 'fix' | 'verify' | 'about'> {
  const { extensionProviders } = situation.mesh
  const providers = [...new Set(custom.map(({ provider }) => provider))]
  const who = providers.map((provider) => `"${provider}"`).join(', ') || 'the external authorizer'
  const unknown =
    extensionProviders === null
      ? []
      : providers.filter((provider) => !extensionProviders.some(({ name }) => name === provider))
  const known = extensionProviders?.filter(({ name }) => providers.includes(name)) ?? []
  const where = known.map(({ service, port }) => `${service ?? '?'}:${port ?? '?'}`).join(', ')
  return {
    subject: `provider ${who}`,
    title: `the CUSTOM policy of ${destinationName(situation)} asks ${who}, which cannot be asked`,
    statement: `${why.charAt(0).toUpperCase()}${why.slice(1)}.${unknown.length > 0 ? ` The mesh configuration has no extensionProvider ${unknown.map((name) => `"${name}"`).join(', ')}; it has ${extensionProviders?.map(({ name }) => name).join(', ') || 'none'}.` : ''}${where ? ` The provider is ${where}.` : ''}`,
    fix: looseFix(
      unknown.length > 0
        ? `Correct the name: spec.provider.name of the policy must be one of extensionProviders in the mesh configuration, or add that provider there. Keep the policy and failOpen: false.`
        : `Bring ${where || who} back: its service, port and endpoints, and whether it takes mutual TLS. Keep the policy and failOpen: false.`,
      'every request that the CUSTOM policy covers',
      'with failOpen: true everybody passes while the authorizer is away',
    ),
    verify: tryAgain(situation, 'no bad-CUSTOM-action and no UAEX in the new line'),
    about: 'call',
  }
}
