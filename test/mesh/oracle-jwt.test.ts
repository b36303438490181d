import { describe, expect, test } from 'vitest'
import { requestAuth } from '../../src/mesh/request-auth.ts'
import { hasShared } from '../helpers/shared.ts'
import { meshOf, oracleSets, predict, requestOf, workloadOf } from './oracle-setup.ts'

const sets = oracleSets('jwt')

/** Status, body and details as predicted; `null` when it stays open. */
function predicted(set: any, testCase: any, change?: (request: any) => any) {
  const { decision: answer, details, authentication } = predict(set, testCase, change)
  if (answer === 'cannot-decide') return null
  if (answer === 'allowed') return { status: 200, body: null, details: 'via_upstream' }
  if (authentication.outcome === 'reject')
    return { status: authentication.status, body: authentication.message, details }
  return { status: 403, body: 'RBAC: access denied', details }
}

describe.skipIf(!hasShared)('what a real mesh decided, tokens', () => {
  test('status, body and details are those of the proxy', () => {
    const counts = { agree: 0, open: 0 }
    const wrong: string[] = []
    for (const set of sets)
      for (const testCase of set.cases) {
        const { status, body = null, details } = testCase.observed
        const ours = predicted(set, testCase)
        // With a JWKS that the proxy refuses it keeps what it had: nothing follows from the objects.
        if (ours === null) counts.open += 1
        else if (
          ours.status === status &&
          (ours.details === null || ours.details === details) &&
          (status === 200 || ours.body === body)
        )
          counts.agree += 1
        else wrong.push(`${testCase.id}: ${JSON.stringify(ours)}, was ${status} ${body} ${details}`)
      }
    console.log('tokens against the oracle', counts)
    expect(wrong).toEqual([])
    if (sets.length > 0) expect(counts.agree).toBeGreaterThan(counts.open)
  })

  test('who does not know the signature, or the headers, never says the wrong thing', () => {
    const wrong: string[] = []
    let open = 0
    for (const set of sets)
      for (const testCase of set.cases)
        for (const attribute of ['signature', 'headers', 'path', 'method']) {
          const ours = predicted(set, testCase, ({ [attribute]: _, ...rest }) => rest)
          if (ours === null) open += 1
          else if (ours.status !== testCase.observed.status)
            wrong.push(`${testCase.id} without ${attribute}: ${ours.status}`)
        }
    console.log(`tokens with something missing: ${open} open`)
    expect(wrong).toEqual([])
  })

  test('claims alone, without the token’s text, come to the same refusals', () => {
    for (const set of sets)
      for (const testCase of set.cases) {
        const tokens: any[] = testCase.request.tokens ?? []
        const [token] = tokens
        if (tokens.length !== 1 || !token.claims || testCase.request.tokenLocation !== 'auth') continue
        const { headers: _, path: __, signature, ...request } = requestOf(testCase)
        const now = new Date(testCase.request.sentAt).getTime() / 1000
        const known = [{ claims: token.claims }]
        const result = requestAuth(
          { ...request, known, path: '/', ...(signature ? { signature } : {}) },
          set.objects,
          workloadOf(set, testCase.server),
          meshOf(set),
          now,
        )
        if (result.outcome === 'reject' && !/kid|verification/.test(String(result.message)))
          expect(result.details, testCase.id).toBe(testCase.observed.details)
        if (testCase.observed.status === 200 && result.outcome !== 'cannot-decide')
          expect(result.outcome, testCase.id).toBe('pass')
      }
  })
})
