import { describe, expect, test } from 'vitest'
import { parseAccessLog } from '../../parsers/access-log.ts'
import { add, change } from '../helpers/edit-objects.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { addObject, editLog, logsAsJson, setSpec } from '../helpers/policy-edits.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

/** What a walk ends in, in one line: `cause: authz-allow-list-miss (proven)`. */
async function ending(name: string, options: PlayOptions = {}): Promise<string> {
  const { diagnosis } = (await play(name, options)).state
  const causes = diagnosis?.causes.map(
    ({ code, certainty, about }) => `${code} (${about === 'next' ? 'next' : certainty})`,
  )
  return `${diagnosis?.verdict}: ${causes?.join(' + ')}`
}

const cart = 'cluster.local/ns/shop/sa/cart'
const callers = (rules: unknown): Edit =>
  setSpec('pay', 'AuthorizationPolicy', 'ledger-callers', (spec) => ({ ...spec, rules }))
const from = (...principals: string[]) => ({ from: [{ source: { principals } }] })
const denied = (details: string): Edit =>
  editLog('ledger', (line) => line.replace('- rbac_access_denied_matched_policy[none]', details))
const without = (kind: string): Edit =>
  editJson(/get \S*policies\S* -n pay /, (list) => ({
    ...list,
    items: list.items.filter((item: { kind: string }) => item.kind !== kind),
  }))
const miss = '403-allow-list-miss'

describe('what is recorded', () => {
  test('a DENY rule is named with its policy and rule', async () => {
    const { state, outcome } = await play('403-deny-beats-allow')
    expect(outcome('authz-deny-rule-matched').status).toBe('fired')
    expect(outcome('authz-allow-list-miss').status).toBe('ruled-out')
    expect(state.diagnosis?.summary).toContain('pay/deny-admin')
  })

  test('a missed ALLOW list says which rule came nearest and by what it failed', async () => {
    const { state, outcome } = await play(miss)
    const [cause] = state.diagnosis?.causes ?? []
    expect(cause?.statement).toContain(
      'rule 0 of pay/ledger-callers wants principals [cluster.local/ns/shop/sa/web] and methods [GET]',
    )
    expect(cause?.statement).not.toContain('paths')
    expect(outcome('authz-deny-rule-matched').status).toBe('ruled-out')
    expect(outcome('authz-principal-wrong-identity').status).toBe('ruled-out')
  })

  test.each([
    miss,
    '403-deny-beats-allow',
    '403-deny-not-principals',
    '403-from-app',
    'tcp-http-policy',
    'ambient-waypoint-l7-denied',
  ])('%s ends the same with JSON logs', async (name) =>
    expect(await ending(name, { edit: logsAsJson })).toBe(await ending(name)),
  )

  test.each([miss, '403-deny-beats-allow', '403-from-app', 'tcp-http-policy'])(
    '%s ends the same without exec',
    async (name) =>
      expect(await ending(name, { given: (given) => ({ ...given, noExec: true }) })).toBe(await ending(name)),
  )
})

describe('at the waypoint', () => {
  test('lines of another caller are not of this call (ambient-waypoint-l7-denied without a path)', async () => {
    const { state, situation } = await play('ambient-waypoint-l7-denied', {
      given: (given) => ({ ...given, path: null }),
    })
    expect(state.diagnosis?.causes).toMatchObject([{ code: 'authz-allow-list-miss', certainty: 'proven' }])
    expect(situation.failing.every(({ waypoint }) => waypoint?.record.path === '/admin')).toBe(true)
  })
  test('its log forbidden: the policies are evaluated there, and its log is what would decide', async () => {
    const { state } = await play('ambient-waypoint-l7-denied', { edit: forbid(/logs waypoint/) })
    expect(state.diagnosis?.causes).toMatchObject([{ code: 'authz-allow-list-miss', certainty: 'likely' }])
    expect(state.diagnosis?.causes[0]?.wouldDecide?.command).toContain('waypoint-')
  })
})

describe('the log of the destination is forbidden', () => {
  const blindly: PlayOptions = { edit: forbid(/logs ledger/) }

  test('the policies say it, and never as proof', async () => {
    expect(await ending(miss, blindly)).toBe('suspects: authz-allow-list-miss (likely)')
    expect(await ending('403-deny-beats-allow', blindly)).toBe('suspects: authz-deny-rule-matched (likely)')
  })

  test('a 403 that policies allow is not blamed on them, and its length says who did not write it', async () => {
    expect(await ending('403-from-app', blindly)).toBe('suspects: app-own-403 (likely)')
    const short = editLog('web', (line) => line.replace(' 13 32 ', ' 13 19 '))
    expect(await ending('403-from-app', { edit: edits(forbid(/logs ledger/), short) })).toBe('inconclusive: ')
  })

  test('an answer of another length than a proxy gives is not blamed on policies that would refuse', async () => {
    const long = editLog('cart', (line) => line.replace(' 13 19 ', ' 13 57 '))
    expect(await ending(miss, { edit: edits(forbid(/logs ledger/), long) })).not.toContain('authz-')
  })

  test('with policies forbidden as well nothing is said', async () => {
    const edit = edits(forbid(/logs ledger/), without('AuthorizationPolicy'), (result, { args }) =>
      args.includes('pay') && args[0] === 'get'
        ? {
            ...result,
            exit: { kind: 'exited', code: 1 },
            stderr:
              'Error from server (Forbidden): authorizationpolicies.security.istio.io is forbidden: User "dev" cannot list resource "authorizationpolicies" in API group "security.istio.io" in the namespace "pay"\n',
          }
        : result,
    )
    expect(await ending(miss, { edit })).toBe('inconclusive: ')
  })
})

describe('only a line that was pasted', () => {
  const alone = (line: string): PlayOptions => ({
    given: (given) => ({ ...given, from: null, to: null, host: null, method: null, path: null }),
    pasted: { records: parseAccessLog(line).records, ztunnel: [], curl: null },
  })
  const gateway =
    '[2026-11-21T05:26:27.989Z] "GET /x HTTP/1.1" 403 - rbac_access_denied_matched_policy[none] - "-" 0 19 0 - "203.0.113.9" "curl/8.0" "4572d469-0d12-4f40-8eff-31bf2c732751" "shop.test" "-" outbound|8080||ledger.pay.svc.cluster.local - 10.244.0.9:8080 203.0.113.9:4000 - -'

  test('a gateway’s refusal is a refusal', async () => {
    const { outcome } = await play(miss, alone(gateway))
    expect(outcome('authz-allow-list-miss')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
  })
  test('a 403 that was only passed on is at most a suspicion: the policies would refuse it, and its length fits', async () => {
    const passedOn = gateway.replace('rbac_access_denied_matched_policy[none]', 'via_upstream')
    const { outcome } = await play(miss, alone(passedOn))
    expect(outcome('authz-allow-list-miss')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
    const longer = await play(miss, alone(passedOn.replace(' 0 19 ', ' 0 64 ')))
    expect(longer.outcome('authz-allow-list-miss').status).not.toBe('fired')
  })
})

describe('near twins of a missed ALLOW list (403-allow-list-miss with another rule in its policy)', () => {
  const cases: readonly (readonly [string, Edit, string])[] = [
    [
      'the rule names another account that is alive',
      callers([from('cluster.local/ns/shop/sa/web')]),
      'authz-allow-list-miss (proven)',
    ],
    [
      'the rule names an account that no pod has',
      callers([from('cluster.local/ns/shop/sa/cart-old')]),
      'authz-principal-wrong-identity (proven)',
    ],
    [
      'the rule names an account that no pod has just now and that resembles nothing: a job’s, or a former one',
      callers([from('cluster.local/ns/shop/sa/nightly-export')]),
      'authz-allow-list-miss (likely) + authz-principal-wrong-identity (likely)',
    ],
    [
      'the rule is of a former trust domain',
      callers([from('old.example/ns/shop/sa/cart')]),
      'authz-principal-wrong-identity (proven)',
    ],
    [
      'the rule names a pattern that others fit',
      callers([from('cluster.local/ns/shop/sa/we*')]),
      'authz-allow-list-miss (proven)',
    ],
    [
      'among others who are alive stands a misspelling of this caller',
      callers([from('cluster.local/ns/shop/sa/web', 'cluster.local/ns/shop/sa/carts')]),
      'authz-principal-wrong-identity (proven)',
    ],
    [
      'among others who are alive stands an account that is gone and like nobody’s',
      callers([from('cluster.local/ns/shop/sa/web', 'cluster.local/ns/shop/sa/nightly-export')]),
      'authz-allow-list-miss (proven)',
    ],
    [
      'an account without namespace means the policy’s own',
      callers([{ from: [{ source: { serviceAccounts: ['cart'] } }] }]),
      'authz-principal-wrong-identity (proven)',
    ],
    ['the rule spells the scheme', callers([from(`spiffe://${cart}`)]), 'authz-principal-wrong-identity (proven)'],
    [
      'the account is gone and the method differs too',
      callers([{ ...from('cluster.local/ns/shop/sa/cart-old'), to: [{ operation: { methods: ['GET'] } }] }]),
      'authz-allow-list-miss (proven)',
    ],
    [
      'the path ends in a slash',
      callers([{ ...from(cart), to: [{ operation: { paths: ['/api/transfer/'] } }] }]),
      'authz-path-or-host-mismatch (proven)',
    ],
    [
      'the host lacks the port',
      callers([{ to: [{ operation: { hosts: ['ledger.pay'] } }] }]),
      'authz-path-or-host-mismatch (proven)',
    ],
    [
      'the path is another one',
      callers([{ ...from(cart), to: [{ operation: { paths: ['/v2/*'] } }] }]),
      'authz-allow-list-miss (proven)',
    ],
    ['there are no rules at all', callers(undefined), 'authz-empty-rules-confusion (proven)'],
    [
      'the rule asks for a token',
      callers([{ from: [{ source: { requestPrincipals: ['*'] } }] }]),
      'jwt-missing-gives-403 (proven)',
    ],
    [
      'the rule would fit now: it was changed, or has not arrived',
      callers([from(cart)]),
      'authz-allow-list-miss (likely)',
    ],
    ['the policy is gone by now', without('AuthorizationPolicy'), 'authz-allow-list-miss (likely)'],
    [
      'the line has no SNI and the rule names the caller',
      edits(
        callers([from(cart)]),
        editLog('ledger', (line) => line.replace(/outbound_\S+ default$/, '- default')),
      ),
      'authz-principal-empty-plaintext (proven)',
    ],
    [
      'the address of the rule stands in X-Forwarded-For',
      edits(
        callers([{ from: [{ source: { ipBlocks: ['203.0.113.0/24'] } }] }]),
        editLog('ledger', (line) => line.replace('0 - "-" "curl', '0 - "203.0.113.7" "curl')),
      ),
      'authz-ip-source-wrong (proven)',
    ],
    [
      'the address of the rule is nowhere',
      callers([{ from: [{ source: { ipBlocks: ['203.0.113.0/24'] } }] }]),
      'authz-allow-list-miss (proven)',
    ],
    [
      'who asks is Prometheus',
      editLog('ledger', (line) => line.replace('"curl/7.88.1"', '"Prometheus/2.53.0"')),
      'authz-blocks-probes-and-scrapers (proven)',
    ],
    [
      'only the preflight is refused',
      editLog('(ledger|cart)', (line) => line.replace('"POST /api/transfer', '"OPTIONS /api/balance')),
      'cors-preflight-rejected (proven)',
    ],
  ]
  test.each(cases)('%s', async (_, edit, expected) => {
    expect(
      (await ending(miss, { edit, given: (given) => ({ ...given, method: null, path: null }) })).replace(/^\w+: /, ''),
    ).toBe(expected)
  })

  test('a token that was sent is no missing token', async () => {
    const edit = callers([{ from: [{ source: { requestPrincipals: ['https://issuer.test/alice'] } }] }])
    const given: PlayOptions['given'] = (one) => ({ ...one, jwtClaims: { iss: 'https://issuer.test', sub: 'bob' } })
    const tokens = addObject('pay', 'RequestAuthentication', 'tokens', {
      jwtRules: [{ issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/keys' }],
    })
    expect(await ending(miss, { edit: edits(edit, tokens), given })).toBe('cause: authz-allow-list-miss (proven)')
    // Without a RequestAuthentication no token counts.
    expect(await ending(miss, { edit, given })).toBe('cause: jwt-missing-gives-403 (proven)')
  })

  describe('a rule that wants a claim', () => {
    const when = [{ key: 'request.auth.claims[groups]', values: ['finance'] }]
    const edit = edits(
      callers([{ from: [{ source: { requestPrincipals: ['https://issuer.test/*'] } }], when }]),
      addObject('pay', 'RequestAuthentication', 'tokens', {
        jwtRules: [{ issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/keys' }],
      }),
    )
    test('may have seen no token or one without it: a suspect, with what would decide', async () => {
      const { diagnosis } = (await play(miss, { edit })).state
      expect(diagnosis?.verdict).toBe('suspects')
      expect(diagnosis?.causes[0]).toMatchObject({ code: 'jwt-missing-gives-403', certainty: 'likely' })
      expect(diagnosis?.causes[0]?.wouldDecide?.command).toContain('Authorization: Bearer')
    })
    test('and headers that were told hold no token: it is missing', async () => {
      const given: PlayOptions['given'] = (one) => ({ ...one, headers: [['accept', '*/*']] })
      expect(await ending(miss, { edit, given })).toBe('cause: jwt-missing-gives-403 (proven)')
    })
    test('and the token that was sent says another value: only the claim is named', async () => {
      const jwtClaims = { iss: 'https://issuer.test', sub: 'bob', groups: ['ops'] }
      const { diagnosis } = (await play(miss, { edit, given: (one) => ({ ...one, jwtClaims }) })).state
      const [cause] = diagnosis?.causes ?? []
      expect(cause).toMatchObject({ code: 'authz-allow-list-miss', certainty: 'proven' })
      expect(cause?.statement).toContain('wants request.auth.claims[groups] [finance]')
      expect(cause?.statement).not.toContain('requestPrincipals')
      expect(cause?.fix.statement).toContain('token carry')
    })
  })

  describe('plaintext from a caller that has a proxy', () => {
    const plain = editLog('ledger', (line) => line.replace(/outbound_\S+ default$/, '- default'))
    const source = (fields: object) => callers([{ from: [{ source: fields }] }])
    const causeOf = async (...more: Edit[]) =>
      (await play(miss, { edit: edits(plain, ...more) })).state.diagnosis?.causes[0]

    test('a rule that its identity would fit says nothing more about identities', async () => {
      const cause = await causeOf(source({ namespaces: ['shop'] }))
      expect(cause).toMatchObject({ code: 'authz-principal-empty-plaintext', certainty: 'proven' })
      expect(cause?.statement).not.toContain('has to be among the values')
    })
    test('a rule for somebody else says that its identity has to be added', async () => {
      const cause = await causeOf(source({ principals: ['cluster.local/ns/shop/sa/web'] }))
      expect(cause?.statement).toContain(`it would be ${cart}, which has to be among the values`)
    })
    test('the annotation that takes the port out is named', async () => {
      const annotation = { 'traffic.sidecar.istio.io/excludeOutboundPorts': '5432,8080' }
      const excluded = change('Pod', /^cart/, ({ metadata }) =>
        Object.assign(metadata, { annotations: { ...metadata.annotations, ...annotation } }),
      )
      const cause = await causeOf(source({ principals: [cart] }), excluded)
      expect(cause?.fix.statement).toContain(
        'take port 8080 out of annotation traffic.sidecar.istio.io/excludeOutboundPorts',
      )
      expect(cause?.fix.statement).not.toContain('DestinationRule')
    })
    test('the DestinationRule that switches mutual TLS off is named', async () => {
      const off = add({
        apiVersion: 'networking.istio.io/v1',
        kind: 'DestinationRule',
        metadata: { name: 'off', namespace: 'shop' },
        spec: { host: 'ledger.pay.svc.cluster.local', trafficPolicy: { tls: { mode: 'DISABLE' } } },
      })
      const cause = await causeOf(source({ principals: [cart] }), off)
      expect(cause?.fix.statement).toContain('remove trafficPolicy.tls from DestinationRule shop/off')
    })
  })

  test('a scraper refused beside the call is told apart', async () => {
    const edit = editLog('ledger-v1', (line) =>
      line.includes('/api/balance')
        ? line
            .replace('200 - via_upstream', '403 - rbac_access_denied_matched_policy[none]')
            .replace('"curl/7.88.1"', '"Prometheus/2.53.0"')
        : line,
    )
    const { state } = await play(miss, { edit })
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['authz-allow-list-miss'])
    expect(state.diagnosis?.otherFindings.map(({ code }) => code)).toContain('authz-blocks-probes-and-scrapers')
  })
})

describe('DENY rules that match what is absent (403-allow-list-miss, refused by a DENY policy instead)', () => {
  const rule = (source: unknown): Edit =>
    edits(
      setSpec('pay', 'AuthorizationPolicy', 'ledger-callers', ({ selector }) => ({
        selector,
        action: 'DENY',
        rules: [{ from: [{ source }] }],
      })),
      denied('- rbac_access_denied_matched_policy[ns[pay]-policy[ledger-callers]-rule[0]]'),
    )
  const withoutSni = editLog('ledger', (line) => line.replace(/outbound_\S+ default$/, '- default'))

  test('notRequestPrincipals: a token is missing', async () => {
    expect(await ending(miss, { edit: rule({ notRequestPrincipals: ['*'] }) })).toBe(
      'cause: jwt-missing-gives-403 (proven)',
    )
  })
  test('notPrincipals, and the call was plaintext', async () => {
    expect(await ending(miss, { edit: edits(rule({ notPrincipals: [cart] }), withoutSni) })).toBe(
      'cause: authz-principal-empty-plaintext (proven)',
    )
  })
  test('notIpBlocks, and the address that is spared stands in X-Forwarded-For', async () => {
    const spare = rule({ notIpBlocks: ['203.0.113.0/24'] })
    const behind = editLog('ledger', (line) => line.replace('0 - "-" "curl', '0 - "203.0.113.7" "curl'))
    expect(await ending(miss, { edit: edits(spare, behind) })).toBe('cause: authz-ip-source-wrong (proven)')
    expect(await ending(miss, { edit: spare })).toBe('cause: authz-deny-rule-matched (proven)')
  })
  test('notPrincipals, and the caller is another one', async () => {
    expect(await ending(miss, { edit: rule({ notPrincipals: ['cluster.local/ns/shop/sa/web'] }) })).toBe(
      'cause: authz-deny-rule-matched (proven)',
    )
  })
})

describe('addresses at a gateway (404-gateway-host, refused by a policy instead)', () => {
  const office = (...ipBlocks: string[]) =>
    addObject('istio-ingress', 'AuthorizationPolicy', 'office', { rules: [{ from: [{ source: { ipBlocks } }] }] })
  const refusedThere = editLog('istio-ingressgateway', (line) =>
    line.replace(/404 NR route_not_found/, '403 - rbac_access_denied_matched_policy[none]'),
  )
  const local = change('Service', /ingressgateway/, ({ spec }) =>
    Object.assign(spec, { externalTrafficPolicy: 'Local' }),
  )
  const at = (...more: Edit[]): PlayOptions => ({
    edit: edits(refusedThere, ...more),
    given: (given) => ({ ...given, symptom: '403' }),
  })

  test('a Service that hides its clients: the rule never sees an address of the outside', async () => {
    const ofNode = editLog('istio-ingressgateway', (line) => line.replaceAll('10.244.251.20', '10.244.0.1'))
    const [cause] = (await play('404-gateway-host', at(office('203.0.113.0/24'), ofNode))).state.diagnosis?.causes ?? []
    expect(cause).toMatchObject({ code: 'authz-ip-source-wrong', certainty: 'proven' })
    expect(cause?.statement).toContain('externalTrafficPolicy Cluster')
    expect(cause?.fix.commands[0]).toContain('patch service istio-ingressgateway')
  })
  test('an address inside that is nobody’s node may be the client’s own', async () => {
    const { causes = [], verdict } =
      (await play('404-gateway-host', at(office('203.0.113.0/24')))).state.diagnosis ?? {}
    expect(verdict).toBe('suspects')
    expect(causes.map(({ code }) => code).sort()).toEqual(['authz-allow-list-miss', 'authz-ip-source-wrong'])
    for (const { wouldDecide } of causes) expect(wouldDecide?.command).toBe('kubectl get nodes -o wide')
  })
  test('a Service that does not: the list lacks the address', async () => {
    expect(await ending('404-gateway-host', at(office('203.0.113.0/24'), local))).toBe(
      'cause: authz-allow-list-miss (proven)',
    )
  })
  test('behind the gateway the destination’s own list lacks the gateway’s identity', async () => {
    const list = addObject('shop', 'AuthorizationPolicy', 'web-callers', {
      selector: { matchLabels: { app: 'web' } },
      rules: [from(cart)],
    })
    const nothingPassed = editLog('web', (line) => (line.includes('inbound|') ? '' : line))
    const both = at(office('203.0.113.0/24'), local, list, nothingPassed)
    expect(await ending('404-gateway-host', both)).toBe(
      'cause: authz-allow-list-miss (proven) + authz-allow-list-miss (next)',
    )
    expect((await play('404-gateway-host', both)).state.diagnosis?.summary).toContain('. And then: ')
  })
  test('a rule about addresses of the inside is about addresses that arrive', async () => {
    expect(await ending('404-gateway-host', at(office('203.0.113.0/24', '10.99.0.0/16')))).toBe(
      'cause: authz-allow-list-miss (proven)',
    )
  })
})

describe('two refusals', () => {
  const ownSay = editText(/logs (ledger|cart)/, (text) => {
    const id = (line: string) => line.replace(/"[0-9a-f]{8}-/, '"abcdef01-')
    const own = text
      .split('\n')
      .filter((line) => line.includes('"POST /api/transfer') && line.includes(' 403 '))
      .map((line) =>
        id(line)
          .replace('/api/transfer', '/own/no')
          .replace('rbac_access_denied_matched_policy[none]', 'via_upstream')
          .replace(' 0 19 ', ' 0 64 ')
          .replace(/inbound\|8080\|\| - /, 'inbound|8080|| 127.0.0.6:40111 ')
          .replace(/"-" inbound/, '"10.244.200.20:8080" inbound'),
      )
    return [text.trimEnd(), ...own, ''].join('\n')
  })
  test('of different requests are no chain (403-allow-list-miss, and the application refuses another path)', async () => {
    const given: PlayOptions['given'] = (one) => ({ ...one, method: null, path: null })
    const { summary = '', causes = [] } = (await play(miss, { given, edit: ownSay })).state.diagnosis ?? {}
    expect(causes.map(({ code, certainty }) => `${code} ${certainty}`)).toEqual([
      'authz-allow-list-miss proven',
      'app-own-403 proven',
    ])
    expect(summary).toContain('And for other requests (POST /own/no): ')
    expect(summary).not.toContain('And then')
  })
})

describe('on TCP (tcp-http-policy with another policy)', () => {
  const policy = (spec: object): Edit =>
    setSpec('pay', 'AuthorizationPolicy', 'ledger-get', ({ selector }) => ({ selector, ...spec }))

  test('the port is patched, the rest of the Service stays', async () => {
    const [cause] = (await play('tcp-http-policy')).state.diagnosis?.causes ?? []
    expect(cause?.fix.commands[0]).toContain('/appProtocol')
    expect(cause?.statement).toContain('methods [GET]')
  })
  test('an ALLOW rule without HTTP fields that names somebody else', async () => {
    expect(await ending('tcp-http-policy', { edit: policy({ action: 'ALLOW', rules: [from(cart)] }) })).toBe(
      'cause: authz-tcp-connection-closed (proven)',
    )
  })
  test('an ALLOW rule with HTTP fields that names somebody else, or another port, would not help as HTTP either', async () => {
    const get = { to: [{ operation: { methods: ['GET'] } }] }
    for (const rule of [{ ...from(cart), ...get }, { to: [{ operation: { methods: ['GET'], ports: ['9090'] } }] }])
      expect(await ending('tcp-http-policy', { edit: policy({ action: 'ALLOW', rules: [rule] }) })).toBe(
        'cause: authz-tcp-connection-closed (proven)',
      )
    const own = { ...from('cluster.local/ns/shop/sa/web'), ...get }
    expect(await ending('tcp-http-policy', { edit: policy({ action: 'ALLOW', rules: [from(cart), own] }) })).toBe(
      'cause: authz-http-attrs-on-tcp (proven)',
    )
  })
  test('a DENY rule with HTTP fields closes every connection', async () => {
    const edit = edits(
      policy({ action: 'DENY', rules: [{ to: [{ operation: { methods: ['DELETE'] } }] }] }),
      editLog('ledger', (line) => line.replace('policy[none]', 'policy[ns[pay]-policy[ledger-get]-rule[0]]')),
    )
    expect(await ending('tcp-http-policy', { edit })).toBe('cause: authz-http-attrs-on-tcp (proven)')
  })
  test('a DENY rule without them is just a DENY', async () => {
    const edit = edits(
      policy({ action: 'DENY', rules: [from('cluster.local/ns/shop/sa/web')] }),
      editLog('ledger', (line) => line.replace('policy[none]', 'policy[ns[pay]-policy[ledger-get]-rule[0]]')),
    )
    expect(await ending('tcp-http-policy', { edit })).toBe('cause: authz-deny-rule-matched (proven)')
  })
  test('an HTTP call knows nothing of it', async () => {
    const { outcome } = await play(miss)
    expect(outcome('authz-http-attrs-on-tcp').status).toBe('ruled-out')
    expect(outcome('authz-tcp-connection-closed').status).toBe('ruled-out')
  })
})

describe('external authorizers (403-allow-list-miss, refused by a CUSTOM policy instead)', () => {
  const custom = addObject('pay', 'AuthorizationPolicy', 'ask-first', {
    action: 'CUSTOM',
    provider: { name: 'gatekeeper' },
    rules: [{}],
  })
  test('the authorizer said no', async () => {
    const { state, outcome } = await play(miss, { edit: edits(custom, denied('UAEX ext_authz_denied')) })
    expect(state.diagnosis?.causes.map(({ code, certainty }) => [code, certainty])).toEqual([
      ['ext-authz-denied', 'proven'],
    ])
    expect(state.diagnosis?.summary).toContain('gatekeeper')
    expect(outcome('ext-authz-provider-broken').status).toBe('ruled-out')
  })
  test.each([
    'UAEX ext_authz_error',
    '- rbac_access_denied_matched_policy[istio-ext-authz-gatekeeper-ns[pay]-policy[ask-first]-rule[0]-deny-due-to-bad-CUSTOM-action]',
    '- rbac_access_denied_matched_policy[default-deny-all-due-to-bad-CUSTOM-action]',
  ])('nobody could be asked: %s', async (details) => {
    const { state } = await play(miss, { edit: edits(custom, denied(details)) })
    expect(state.diagnosis?.causes.map(({ code, certainty }) => [code, certainty])).toEqual([
      ['ext-authz-provider-broken', 'proven'],
    ])
    expect(state.diagnosis?.causes[0]?.statement).toContain('no extensionProvider "gatekeeper"')
  })
  test('the provider is unknown and the log forbidden', async () => {
    expect(await ending(miss, { edit: edits(custom, forbid(/logs ledger/)) })).toBe(
      'suspects: ext-authz-provider-broken (likely)',
    )
  })
  test('a plain refusal is none of theirs', async () => {
    const { outcome } = await play(miss)
    expect(outcome('ext-authz-denied').status).toBe('ruled-out')
    expect(outcome('ext-authz-provider-broken').status).toBe('ruled-out')
  })
})

describe('two faults: what still fails once the first is gone', () => {
  test('behind a DENY an ALLOW list that names somebody else', async () => {
    const edit = setSpec('pay', 'AuthorizationPolicy', 'allow-web', (spec) => ({ ...spec, rules: [from(cart)] }))
    expect(await ending('403-deny-beats-allow', { edit })).toBe(
      'cause: authz-deny-rule-matched (proven) + authz-allow-list-miss (next)',
    )
  })
  test('behind plaintext that STRICT refuses', async () => {
    const edit = addObject('pay', 'AuthorizationPolicy', 'ledger-only-cart', {
      selector: { matchLabels: { app: 'ledger' } },
      rules: [from(cart)],
    })
    expect(await ending('503-dr-disable-strict', { edit })).toBe(
      'cause: dr-tls-disable-vs-strict (proven) + authz-allow-list-miss (next)',
    )
  })
  test('nothing is added where the policies would let it pass', async () => {
    const edit = addObject('pay', 'AuthorizationPolicy', 'ledger-web', {
      selector: { matchLabels: { app: 'ledger' } },
      rules: [from('cluster.local/ns/shop/sa/web')],
    })
    expect(await ending('503-dr-disable-strict', { edit })).toBe('cause: dr-tls-disable-vs-strict (proven)')
  })
})

describe('a policy without effect (jwt-not-required, its RequestAuthentication taken away)', () => {
  const plain: Edit = editJson(/get \S*policies\S* -n default /, (list) => ({
    ...list,
    items: list.items.filter(({ kind }: { kind: string }) => kind !== 'RequestAuthentication'),
  }))
  const added = (spec: Record<string, unknown>): PlayOptions => ({
    edit: edits(plain, addObject('default', 'AuthorizationPolicy', 'guard', spec)),
  })
  const productpage = { selector: { matchLabels: { app: 'productpage' } } }

  test('without any policy nothing is found', async () => {
    expect(await ending('jwt-not-required', { edit: plain })).not.toContain('authz-')
  })
  test('DENY without rules', async () => {
    expect(await ending('jwt-not-required', added({ ...productpage, action: 'DENY' }))).toBe(
      'cause: authz-empty-rules-confusion (proven)',
    )
  })
  test('ALLOW with an empty rule', async () => {
    expect(await ending('jwt-not-required', added({ ...productpage, rules: [{}] }))).toBe(
      'cause: authz-empty-rules-confusion (proven)',
    )
  })
  test('a selector that no pod has', async () => {
    const wrong = {
      selector: { matchLabels: { app: 'productpage-v9' } },
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: ['/productpage'] } }] }],
    }
    expect(await ending('jwt-not-required', added(wrong))).toBe('cause: authz-policy-not-selecting (proven)')
  })
  test('a policy for another workload is nobody’s business', async () => {
    const other = { selector: { matchLabels: { app: 'reviews' } }, action: 'DENY', rules: [{}] }
    expect((await play('jwt-not-required', added(other))).outcome('authz-policy-not-selecting').status).toBe('quiet')
  })
  test('from and to as two rules', async () => {
    const two = {
      ...productpage,
      rules: [from('cluster.local/ns/shop/sa/admin'), { to: [{ operation: { methods: ['GET'] } }] }],
    }
    expect(await ending('jwt-not-required', added(two))).toBe('suspects: authz-or-instead-of-and (likely)')
    const one = {
      ...productpage,
      rules: [{ ...from('cluster.local/ns/shop/sa/web'), to: [{ operation: { methods: ['GET'] } }] }],
    }
    expect((await play('jwt-not-required', added(one))).outcome('authz-or-instead-of-and').status).toBe('quiet')
  })
})
