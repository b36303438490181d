import { describe, expect, test } from 'vitest'
import { authorize } from '../../src/mesh/authorize.ts'
import { hasShared } from '../helpers/shared.ts'
import { meshOf, oracleSets, predict, requestOf, workloadOf } from './oracle-setup.ts'

const sets = oracleSets('authz')

/** What the proxy printed, wherever it printed it. */
function printed({ details, termination }: any): string | null {
  return [details, termination].find((text) => typeof text === 'string' && text.startsWith('rbac_')) ?? null
}

describe.skipIf(!hasShared)('what a real mesh decided, authorization', () => {
  test('no request is called allowed or denied that was not', () => {
    const byArea = new Map<string, Record<string, number>>()
    const wrong: string[] = []
    for (const set of sets)
      for (const testCase of set.cases) {
        const { decision: answer, details } = predict(set, testCase)
        const real = testCase.observed.allowed ? 'allowed' : 'denied'
        const isSameText =
          real === 'allowed' ||
          details === null ||
          details === printed(testCase.observed) ||
          details === testCase.observed.details
        const result = answer === 'cannot-decide' ? 'open' : answer === real && isSameText ? 'agree' : 'wrong'
        const area = `${testCase.request.protocol}${testCase.request.jwt ? ' with token' : ''}, ${set.id.startsWith('h') ? 'hand-picked' : 'generated'}`
        const counts = byArea.get(area) ?? { agree: 0, open: 0, wrong: 0 }
        counts[result] = (counts[result] ?? 0) + 1
        byArea.set(area, counts)
        if (result === 'wrong')
          wrong.push(`${testCase.id}: ${answer} ${details}, was ${real} ${printed(testCase.observed)}`)
      }
    console.log('authorization against the oracle', Object.fromEntries(byArea))
    expect(wrong).toEqual([])
  })

  test('the deciding rule is the one that the proxy names, and all cases are decided', () => {
    for (const set of sets)
      for (const testCase of set.cases) {
        const { decision: answer, authorization } = predict(set, testCase)
        expect(answer, testCase.id).not.toBe('cannot-decide')
        if (testCase.observed.rbacId) expect(authorization?.rbacId, testCase.id).toBe(testCase.observed.rbacId)
      }
  })

  test('the rules that reach each chain are those of the proxy’s RBAC filters', () => {
    let compared = 0
    for (const set of sets) {
      if (!set.attachedRbac) continue
      for (const [chain, filters] of Object.entries<any>(set.attachedRbac)) {
        const [protocol, port] = chain.split(' ') as ['http' | 'tcp', string]
        const server = set.cases[0]?.server ?? 'target'
        const request = { protocol, ...(port === '*' ? {} : { destinationPort: Number(port) }) }
        const { considered } = authorize(request, set.objects, workloadOf(set, server), meshOf(set))
        for (const [action, name] of [
          ['ALLOW', 'ALLOW'],
          ['DENY', 'DENY'],
          ['AUDIT', 'LOG'],
        ] as const) {
          const inForce = considered.filter(
            (policy) => policy.action === action && policy.attaches === true && !policy.dryRun,
          )
          // istiod gives a policy without rules one rule that never fits.
          const ids = inForce.flatMap(({ policy, rules }) => {
            const [ns, own] = policy.split('/')
            return rules.length === 0
              ? [`ns[${ns}]-policy[${own}]-rule[0]`]
              : rules.filter(({ dropped }) => !dropped).map(({ id }) => id)
          })
          const real: string[] | undefined = filters[name]?.filter((id: string) => !id.startsWith('istio-ext-authz'))
          if (real === undefined || (real.length === 0 && inForce.length === 0))
            expect(inForce, `${set.id} ${chain} ${name}`).toEqual([])
          else expect(ids.sort(), `${set.id} ${chain} ${name}`).toEqual([...real].sort())
          compared += 1
        }
      }
    }
    console.log(`attached rules compared: ${compared} filters`)
    if (sets.length > 0) expect(compared).toBeGreaterThan(0)
  })

  test('without one of its attributes, a request is decided rightly or not at all', () => {
    const attributes = [
      'protocol',
      'method',
      'path',
      'host',
      'headers',
      'sourcePrincipal',
      'sourceIp',
      'destinationPort',
      'sni',
    ]
    const counts = new Map<string, { right: number; open: number }>()
    const wrong: string[] = []
    for (const set of sets)
      for (const testCase of set.cases) {
        const real = testCase.observed.allowed ? 'allowed' : 'denied'
        for (const attribute of attributes) {
          const { decision: answer, details } = predict(set, testCase, ({ [attribute]: _, ...rest }) => rest)
          const count = counts.get(attribute) ?? { right: 0, open: 0 }
          counts.set(attribute, count)
          if (answer === 'cannot-decide') count.open += 1
          else if (answer === real) count.right += 1
          else wrong.push(`${testCase.id} without ${attribute}: ${answer}`)
          if (
            answer === 'denied' &&
            details !== null &&
            details !== printed(testCase.observed) &&
            details !== testCase.observed.details
          )
            wrong.push(`${testCase.id} without ${attribute}: ${details}`)
        }
      }
    console.log('with one attribute missing', Object.fromEntries(counts))
    expect(wrong).toEqual([])
  })

  test('an open decision names what would settle it', () => {
    for (const set of sets)
      for (const testCase of set.cases) {
        const { protocol } = requestOf(testCase)
        const { decision, unknowns } = authorize(
          { ...(protocol ? { protocol } : {}) },
          set.objects,
          workloadOf(set, testCase.server),
          meshOf(set),
        )
        if (decision === 'cannot-decide') expect(unknowns.length, testCase.id).toBeGreaterThan(0)
        else expect(unknowns, testCase.id).toEqual([])
      }
  })
})
