import { describe, expect, test } from 'vitest'
import type { CurlFacts } from '../../src/situation/hints.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { addObject, editLog, logsAsJson, setSpec } from '../helpers/policy-edits.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

async function ending(name: string, options: PlayOptions = {}): Promise<string> {
  const { diagnosis } = (await play(name, options)).state
  const causes = diagnosis?.causes.map(
    ({ code, certainty, about }) => `${code} (${about === 'next' ? 'next' : certainty})`,
  )
  return `${diagnosis?.verdict}: ${causes?.join(' + ')}`
}

const wrong = '401-wrong-issuer'
const issuer = 'Jwt_issuer_is_not_configured'
const saying = (reason: string, status = '401'): Edit =>
  edits(
    editLog('ledger', (line) =>
      line.replace(`401 - jwt_authn_access_denied{${issuer}}`, `${status} - jwt_authn_access_denied{${reason}}`),
    ),
    editLog('web', (line) => line.replace('401 - via_upstream', `${status} - via_upstream`)),
  )
/** The keys come from an address instead of standing in the object. */
const fetched = setSpec('pay', 'RequestAuthentication', 'ledger-jwt', (spec) => ({
  ...spec,
  jwtRules: [{ issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/keys' }],
}))
const istiodSays = (text: string): Edit => editText(/logs istiod/, () => `${text}\n`)
const failedFetch =
  '2026-11-21T05:30:00.000000Z\terror\tmodel\tFailed to fetch public key from jwks URI "https://issuer.test/keys": dial tcp: i/o timeout'
/** The key a proxy holds, with the modulus that istiod installs when it cannot fetch. */
const standIn = editText(/proxy-config listener ledger/, (text) =>
  text.replaceAll(
    'nyFtld37PqTijUzyyUazkzKk0TDQyuXGPAzaiTLkNXMHshKQQ2MIaFHGN3bz48DhDvR1HzDE9Asd4rBpuYuqJ9WJPOvv9WKJT6BFmXw8wieMU7yQ',
    '0xObjM0UvS_oaazjpEYlAbwcAAAA',
  ),
)

describe('a token that the JWT filter refused', () => {
  test('the issuer: what is accepted and what the token says', async () => {
    const { state } = await play(wrong, { given: (given) => ({ ...given, jwtClaims: { iss: 'https://other.test' } }) })
    const [cause] = state.diagnosis?.causes ?? []
    expect(cause).toMatchObject({ code: 'jwt-issuer-not-configured', certainty: 'proven', layer: 'request-authn' })
    expect(cause?.statement).toContain('It accepts https://issuer.test. The token says https://other.test.')
  })
  test('an issuer that differs by a slash only is corrected, not added', async () => {
    const { state } = await play(wrong, {
      given: (given) => ({ ...given, jwtClaims: { iss: 'https://issuer.test/' } }),
    })
    expect(state.diagnosis?.causes[0]?.fix.statement).toContain('Correct the issuer to https://issuer.test/')
  })
  test.each([
    [issuer, '401', 'cause: jwt-issuer-not-configured (proven)'],
    ['Jwt_is_expired', '401', 'cause: jwt-expired-or-clock (proven)'],
    ['Jwt_not_yet_valid', '401', 'cause: jwt-expired-or-clock (proven)'],
    ['Jwt_verification_fails', '401', 'cause: jwt-rejected (proven)'],
    ['Jwt_header_is_an_invalid_JSON', '401', 'cause: jwt-rejected (proven)'],
    ["Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt", '401', 'suspects: jwt-kid-rotation (likely)'],
    ['Jwt_of_a_kind_nobody_knows', '401', 'cause: jwt-rejected (proven)'],
  ])('%s', async (reason, status, expected) => {
    expect(await ending(wrong, { edit: saying(reason, status) })).toBe(expected)
    expect(await ending(wrong, { edit: edits(saying(reason, status), logsAsJson) })).toBe(expected)
  })
  describe('a key that the proxy does not have', () => {
    const unknownKey = saying("Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt")
    const nothingPasses = editText(/logs (ledger|web)/, (text) =>
      text
        .split('\n')
        .filter((line) => !line.includes(' 200 - via_upstream'))
        .join('\n'),
    )
    test('and nothing passes: whether its keys are in use at all is open', async () => {
      expect(await ending(wrong, { edit: edits(unknownKey, nothingPasses) })).toBe(
        'suspects: jwt-kid-rotation (likely)',
      )
    })
    test('and its keys come from an address and could not be read: either they never arrived or the token’s is newer', async () => {
      const edit = edits(unknownKey, fetched, forbid(/proxy-config listener/))
      const { state } = await play(wrong, { edit })
      expect(state.diagnosis?.verdict).toBe('suspects')
      expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['jwt-jwks-unreachable', 'jwt-kid-rotation'])
      // istiod's log was read and names no failed fetch: the keys in the proxy are what is left to look at.
      expect(state.diagnosis?.causes[0]?.wouldDecide?.command).toContain('istioctl proxy-config listener')
      expect(state.diagnosis?.causes[1]?.statement).not.toContain('kid test')
    })
  })
  test('the audience is the one with 403', async () => {
    const given: PlayOptions['given'] = (one) => ({ ...one, symptom: '403' })
    const { state, outcome } = await play(wrong, { given, edit: saying('Audiences_in_Jwt_are_not_allowed', '403') })
    expect(state.diagnosis?.causes.map(({ code, certainty }) => [code, certainty])).toEqual([
      ['jwt-audience-403', 'proven'],
    ])
    expect(outcome('authz-allow-list-miss').status).toBe('ruled-out')
  })
  test('each is ruled out by another reason', async () => {
    const { outcome } = await play(wrong)
    for (const code of [
      'jwt-audience-403',
      'jwt-expired-or-clock',
      'jwt-jwks-unreachable',
      'jwt-kid-rotation',
      'jwt-rejected',
    ])
      expect(outcome(code).status, code).toBe('ruled-out')
  })
})

describe('keys that come from an address (401-wrong-issuer with jwksUri and a refused signature)', () => {
  const refused = edits(saying('Jwt_verification_fails'), fetched)
  test('istiod says that it could not fetch them', async () => {
    expect(await ending(wrong, { edit: edits(refused, istiodSays(failedFetch)) })).toBe(
      'cause: jwt-jwks-unreachable (proven)',
    )
  })
  test('the proxy holds the stand-in', async () => {
    expect(await ending(wrong, { edit: edits(refused, standIn) })).toBe('cause: jwt-jwks-unreachable (proven)')
  })
  test('keys of somebody else failed', async () => {
    const other = failedFetch.replaceAll('issuer.test', 'elsewhere.test')
    expect(await ending(wrong, { edit: edits(refused, istiodSays(other)) })).toBe('cause: jwt-rejected (proven)')
  })
  test('real keys and no failure: it is the token', async () => {
    expect(await ending(wrong, { edit: refused })).toBe('cause: jwt-rejected (proven)')
  })
  test('neither the keys nor istiod’s log can be read: suspects, with what would decide', async () => {
    const edit = edits(refused, forbid(/logs istiod/), forbid(/proxy-config listener/))
    const { state } = await play(wrong, { edit })
    expect(state.diagnosis?.verdict).toBe('suspects')
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['jwt-jwks-unreachable'])
    expect(state.diagnosis?.causes[0]?.wouldDecide?.why).toContain('JWKS fetch failed')
  })
})

describe('not the mesh’s own 401', () => {
  test('the application said it (403-from-app with 401 instead)', async () => {
    const edit = editLog('(ledger|web)', (line) => line.replace(' 403 - via_upstream', ' 401 - via_upstream'))
    const given: PlayOptions['given'] = (one) => ({ ...one, symptom: '401' })
    expect(await ending('403-from-app', { edit, given })).toBe('cause: auth-401-from-app-or-idp (proven)')
  })
  test('an authorizer said it', async () => {
    const edit = editLog('ledger', (line) =>
      line.replace(`401 - jwt_authn_access_denied{${issuer}}`, '401 UAEX ext_authz_denied'),
    )
    const { state } = await play(wrong, { edit })
    expect(state.diagnosis?.causes.map(({ code, layer }) => [code, layer])).toEqual([
      ['auth-401-from-app-or-idp', 'ext-authz'],
    ])
  })
  test('it is ruled out by the filter’s own line', async () => {
    expect((await play(wrong)).outcome('auth-401-from-app-or-idp').status).toBe('ruled-out')
  })
})

describe('without the log of the destination', () => {
  test('a 401 that was only passed on has no culprit', async () => {
    expect(await ending(wrong, { edit: forbid(/logs ledger/) })).toBe('inconclusive: ')
  })
  test('the body of the answer makes it likely, not proven', async () => {
    const curl: CurlFacts = {
      url: null,
      host: 'ledger.pay',
      port: 8080,
      address: null,
      method: 'GET',
      path: '/v1/balance',
      status: 401,
      responseHeaders: [],
      body: 'Jwt is expired',
      errorCode: null,
      errorText: null,
      sni: null,
    }
    expect(await ending(wrong, { edit: forbid(/logs ledger/), pasted: { records: [], ztunnel: [], curl } })).toBe(
      'suspects: jwt-expired-or-clock (likely)',
    )
  })
})

test('behind a token that is refused, an ALLOW list that refuses its bearer anyway', async () => {
  const edit = addObject('pay', 'AuthorizationPolicy', 'only-cart', {
    selector: { matchLabels: { app: 'ledger' } },
    rules: [{ from: [{ source: { principals: ['cluster.local/ns/shop/sa/cart'] } }] }],
  })
  // Requests that got through are taken out: with them the list would not have been there.
  const failing = editLog('(ledger|web)', (line) => (line.includes(' 200 - via_upstream') ? '' : line))
  expect(await ending(wrong, { edit: edits(edit, failing) })).toBe(
    'cause: jwt-issuer-not-configured (proven) + authz-allow-list-miss (next)',
  )
})

describe('tokens that nothing demands', () => {
  const demand = (rules: unknown) =>
    addObject('default', 'AuthorizationPolicy', 'token', {
      selector: { matchLabels: { app: 'productpage' } },
      action: 'DENY',
      rules,
    })

  test('recorded: the request without a token passes', async () => {
    const { state } = await play('jwt-not-required')
    const [cause] = state.diagnosis?.causes ?? []
    expect(cause?.title).toContain('default/jwt')
    expect(cause?.fix.statement).toContain('notRequestPrincipals')
  })
  test('a policy that asks for a token rules it out', async () => {
    const { outcome } = await play('jwt-not-required', {
      edit: demand([{ from: [{ source: { notRequestPrincipals: ['*'] } }] }]),
    })
    expect(outcome('request-auth-not-enforced').status).toBe('ruled-out')
  })
  test('a token was sent: nothing to demand', async () => {
    const { outcome } = await play('jwt-not-required', {
      given: (given) => ({ ...given, jwtClaims: { iss: 'https://issuer.test' } }),
    })
    expect(outcome('request-auth-not-enforced').status).toBe('quiet')
  })
  test('the RequestAuthentication of another workload is no cause', async () => {
    const edit = setSpec('default', 'RequestAuthentication', 'jwt', (spec) => ({
      ...spec,
      selector: { matchLabels: { app: 'reviews' } },
    }))
    expect((await play('jwt-not-required', { edit })).outcome('request-auth-not-enforced').status).toBe('quiet')
  })
  test('where a route of this host may be what is meant, it is no proof (a VirtualService added, bad tokens taken out)', async () => {
    const edit = edits(
      addObject('default', 'VirtualService', 'pages', {
        hosts: ['productpage'],
        http: [{ route: [{ destination: { host: 'productpage' } }] }],
      }),
      editLog('(productpage|web)', (line) => (line.includes(' 401 ') ? '' : line)),
    )
    const { outcome } = await play('jwt-not-required', { edit })
    expect(outcome('request-auth-not-enforced')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  })
})

describe('a silent access log', () => {
  test('recorded: Telemetry switches it off, which is noted and is no cause', async () => {
    const { state } = await play('no-access-log')
    const found = state.diagnosis?.otherFindings.find(({ code }) => code === 'accesslog-disabled')
    expect(found).toMatchObject({ certainty: 'proven', about: 'aside' })
    expect(found?.statement).toContain('pay/quiet')
  })
  test('nothing switches it on (accessLogFile and Telemetry taken away)', async () => {
    const edit = edits(
      editJson(/get configmap istio /, (map) => ({
        ...map,
        data: { ...map.data, mesh: map.data.mesh.replace(/^accessLogFile:.*$/m, '') },
      })),
      editJson(/get \S*policies\S* -n pay /, (list) => ({
        ...list,
        items: list.items.filter(({ kind }: { kind: string }) => kind !== 'Telemetry'),
      })),
    )
    const { outcome } = await play('no-access-log', { edit })
    expect(outcome('accesslog-disabled')).toMatchObject({
      status: 'fired',
      hits: [{ title: expect.stringContaining('switched off') }],
    })
  })
  test('the same Telemetry without a provider does nothing: lines are there', async () => {
    expect((await play('403-log-despite-telemetry')).outcome('accesslog-disabled').status).toBe('ruled-out')
  })
  test('no line and nothing that switches it off', async () => {
    const edit = editJson(/get \S*policies\S* -n pay /, (list) => ({
      ...list,
      items: list.items.filter(({ kind }: { kind: string }) => kind !== 'Telemetry'),
    }))
    expect((await play('no-access-log', { edit })).outcome('accesslog-disabled').status).toBe('quiet')
  })
})
