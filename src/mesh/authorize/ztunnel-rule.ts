import type { Action, RuleVerdict } from './envoy-rule.ts'
import { isInBlock, parseIp, parseIpBlock } from './ip-blocks.ts'
import { type EvaluationContext, missing, sourceIdentity } from './request.ts'
import type { Alternative, Condition, RuleShape, Values } from './rule-shape.ts'
import { identityParts } from './source-identity.ts'
import { matchesValue } from './string-match.ts'
import { all, any, no, not, type Outcome, unknown, yes } from './three-valued.ts'

type Test = (value: string, context: EvaluationContext) => Outcome

const l4Conditions: Readonly<Record<string, string>> = {
  'source.ip': 'ipBlocks',
  'source.namespace': 'namespaces',
  'source.principal': 'principals',
  'destination.ip': 'destinationIps',
  'destination.port': 'ports',
}
const httpFields: readonly string[] = ['hosts', 'methods', 'paths', 'remoteIpBlocks', 'requestPrincipals']

/**
 * Tests one rule as ztunnel does. HTTP fields make an ALLOW rule vanish. In a DENY rule they are cut out, and a clause of which nothing is
 * left never fits: a DENY with HTTP fields only does nothing at all.
 */
export function testZtunnelRule(rule: RuleShape, action: Action, context: EvaluationContext): RuleVerdict {
  const strangeFields = [...new Set(rule.strangers)]
  if (strangeFields.length > 0)
    return {
      ...unknown(`unknown field ${strangeFields.join(', ')}`, ...strangeFields.map((name) => missing(name))),
      dropped: false,
      ignoredFields: [],
    }
  const http = [
    ...[...rule.from, ...rule.to].flatMap((block) => httpFields.filter((name) => block.has(name))),
    ...rule.when.filter(({ key }) => l4Conditions[key] === undefined).map(({ key }) => key),
  ]
  const ignoredFields = [...new Set(http)]
  if (action === 'ALLOW' && http.length > 0)
    return {
      ...no(`ztunnel leaves out ALLOW rules with HTTP fields (${ignoredFields.join(', ')})`),
      dropped: true,
      ignoredFields: [],
    }
  const outcome = all([
    ...(rule.to.length > 0 ? [any(rule.to.map((block) => testClause(block, context)))] : []),
    ...(rule.from.length > 0 ? [any(rule.from.map((block) => testClause(block, context)))] : []),
    ...rule.when.map((condition) => testCondition(condition, context)),
  ])
  return { ...outcome, because: outcome.because || 'the rule asks for nothing', dropped: false, ignoredFields }
}

function testCondition(condition: Condition, context: EvaluationContext): Outcome {
  const name = l4Conditions[condition.key]
  if (name === undefined) return no(`ztunnel cannot test ${condition.key}, and what is left of the clause never fits`)
  return testClause(new Map([[name, condition]]), context)
}

function testClause(block: Alternative, context: EvaluationContext): Outcome {
  const parts = Object.entries(tests).flatMap(([name, test]) => {
    const entry = block.get(name)
    return entry ? testValues(name, readable(name, entry), test, context) : []
  })
  return parts.length > 0
    ? all(parts)
    : no('nothing in this clause is something that ztunnel can test, so it never fits')
}

// istiod skips ports and addresses that it cannot read.
function readable(name: string, { values, notValues }: Values): Values {
  const isReadable = (value: string) =>
    name === 'ports'
      ? /^\d+$/.test(value) && Number(value) <= 65535
      : name === 'ipBlocks' || name === 'destinationIps'
        ? parseIpBlock(value) !== null
        : true
  return { values: values.filter(isReadable), notValues: notValues.filter(isReadable) }
}

function testValues(name: string, { values, notValues }: Values, test: Test, context: EvaluationContext): Outcome[] {
  const parts: Outcome[] = []
  const run = (list: readonly string[]) => any(list.map((value) => test(value, context)))
  if (values.length > 0) parts.push(named(`${name} [${values.join(', ')}]`, run(values)))
  if (notValues.length > 0) parts.push(named(`not ${name} [${notValues.join(', ')}]`, not(run(notValues))))
  return parts
}

function named(name: string, outcome: Outcome): Outcome {
  return { ...outcome, because: `${name}: ${outcome.because}` }
}

/** Trust domains are compared as text: ztunnel knows no aliases. `trustDomains` is not among its fields. */
const tests: Readonly<Record<string, Test>> = {
  principals: byIdentity((value, identity) => matchesValue(value, identity.replace(/^spiffe:\/\//, ''))),
  namespaces: byIdentity((value, identity) => matchesValue(value, identityParts(identity)?.namespace ?? '')),
  serviceAccounts: byIdentity((value, identity, { policyNamespace }) => {
    const slash = value.indexOf('/')
    const parts = identityParts(identity)
    return (
      parts !== null &&
      parts.namespace === (slash < 0 ? policyNamespace : value.slice(0, slash)) &&
      parts.serviceAccount === value.slice(slash + 1)
    )
  }),
  ipBlocks: byAddress('sourceIp', ({ request }) => request.sourceIp),
  destinationIps: byAddress(
    'destinationIp',
    ({ request, workload }) => request.destinationIp ?? workload.ip ?? undefined,
  ),
  ports: (value, { request }) => {
    if (request.destinationPort === undefined) return unknown('the port is not known', missing('destinationPort'))
    return Number(value) === request.destinationPort
      ? yes(`port is ${request.destinationPort}`)
      : no(`port is ${request.destinationPort}`)
  },
}

function byIdentity(fits: (value: string, identity: string, context: EvaluationContext) => boolean): Test {
  return (value, context) => {
    const identity = sourceIdentity(context.request)
    if (identity === undefined) return unknown('the caller’s identity is not known', missing('sourcePrincipal'))
    if (identity === null) return no('the call has no identity (plaintext)')
    return fits(value, identity, context) ? yes(`caller is ${identity}`) : no(`caller is ${identity}`)
  }
}

function byAddress(attribute: string, read: (context: EvaluationContext) => string | undefined): Test {
  return (value, context) => {
    const text = read(context)
    const [address, block] = [text === undefined ? null : parseIp(text), parseIpBlock(value)]
    if (!address || !block) return unknown(`the ${attribute} is not known`, missing(attribute))
    return isInBlock(address, block) ? yes(`${attribute} is ${text}`) : no(`${attribute} is ${text}`)
  }
}
