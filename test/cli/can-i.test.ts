import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { quietEnv, runCli } from '../helpers/cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { captureEnv } from '../helpers/walk-capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'can-i-'))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const policies = file(
  'policies.yaml',
  `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: bank}
spec:
  selector: {matchLabels: {app: vault}}
  action: DENY
  rules:
  - to: [{operation: {paths: ["/admin/*"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: desk, namespace: bank}
spec:
  rules:
  - from: [{source: {principals: ["cluster.local/ns/front/sa/desk"]}}]
`,
)
const deployment = file(
  'vault.yaml',
  `
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: vault, namespace: bank}
  spec:
    template:
      metadata: {labels: {app: vault}}
      spec: {serviceAccountName: vault, containers: [{name: app, ports: [{containerPort: 9000}]}]}
- apiVersion: v1
  kind: Service
  metadata: {name: vault, namespace: bank}
  spec: {selector: {app: vault}, ports: [{name: http, port: 80, targetPort: 9000}]}
`,
)
const strict = file(
  'strict.yaml',
  `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: bank}
spec: {mtls: {mode: STRICT}}
`,
)
const tokens = file(
  'tokens.yaml',
  `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: issuer, namespace: bank}
spec:
  jwtRules: [{issuer: "https://right.example", jwks: '{"keys":[]}'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: with-token, namespace: bank}
spec:
  rules:
  - from: [{source: {requestPrincipals: ["*"]}}]
`,
)

async function canI(...argv: readonly string[]) {
  const { code, stdout, stderr } = await runCli(['can-i', '-o', 'json', ...argv], { cwd: folder })
  return { code, stderr, report: stdout === '' ? null : JSON.parse(stdout) }
}
const call = ['--to', 'svc/vault.bank:80', '--from', 'sa/desk.front', '--method', 'GET'] as const

const bound = file(
  'bound.yaml',
  `
apiVersion: v1
kind: List
items:
- apiVersion: gateway.networking.k8s.io/v1
  kind: Gateway
  metadata: {name: l7, namespace: bank}
  spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
- apiVersion: v1
  kind: Service
  metadata: {name: vault, namespace: bank, labels: {istio.io/use-waypoint: l7}}
  spec: {selector: {app: vault}, ports: [{name: http, port: 80, targetPort: 9000}]}
`,
)

test('a waypoint without pods is asked as the one that will be there, and the pod behind it meets that one', async () => {
  const { stdout } = await runCli(
    [
      'can-i',
      '-o',
      'json',
      '-f',
      bound,
      '--data-plane',
      'ambient',
      '--labels',
      'app=vault',
      '--from',
      'cluster.local/ns/front/sa/desk',
      '--to',
      'svc/vault.bank:80',
    ],
    { env: quietEnv(), cwd: '/' },
  )
  const report = JSON.parse(stdout)
  expect(report.points.map(({ point }: { point: string }) => point)).toEqual(['waypoint', 'server'])
  expect(report.points[1].principal).toContain('/ns/bank/sa/l7')
  expect(report.assumptions.join()).toContain('has no pod')
})

describe('can-i on files', () => {
  test('a caller that an ALLOW rule names is allowed, and the rule is named', async () => {
    const { code, report } = await canI('-f', policies, deployment, ...call, '--path', '/box/1')
    expect(code).toBe(0)
    expect(report.decision).toBe('allowed')
    expect(report.summary).toContain('bank/desk')
  })
  test('a DENY rule comes before the ALLOW rule that fits as well', async () => {
    const { code, report } = await canI('-f', policies, deployment, ...call, '--path', '/admin/keys')
    expect(code).toBe(79)
    expect(report.points[0].access.authorization.by).toMatchObject({ policy: 'bank/no-admin', action: 'DENY' })
    expect(report.points[0].access.status).toBe(403)
  })
  test('without a path a rule about paths stays open, and the answer says so', async () => {
    const { code, report } = await canI('-f', policies, deployment, ...call)
    expect(code).toBe(80)
    expect(report.unknowns.map(({ attribute }: { attribute: string }) => attribute)).toContain('path')
  })
  test('an identity is taken as it is written', async () => {
    const spiffe = 'spiffe://cluster.local/ns/front/sa/other'
    const { code, report } = await canI(
      '-f',
      policies,
      deployment,
      '--to',
      'svc/vault.bank:80',
      '--from',
      spiffe,
      '--path',
      '/box',
      '--method',
      'GET',
    )
    expect(code).toBe(79)
    expect(report.request.from).toBe(spiffe)
    expect(report.summary).toContain('bank/desk')
  })
  test('labels that nobody knows keep the decision open only where a selector asks for them', async () => {
    expect((await canI('-f', policies, ...call, '--path', '/admin/keys')).code).toBe(80)
    expect((await canI('-f', policies, ...call, '--path', '/admin/keys', '--labels', 'app=vault')).code).toBe(79)
    expect((await canI('-f', policies, ...call, '--path', '/admin/keys', '--labels', 'app=other')).code).toBe(0)
    // Whatever the labels are, this caller fits no ALLOW rule.
    const other = ['--to', 'svc/vault.bank:80', '--from', 'sa/other.front', '--path', '/box', '--method', 'GET']
    expect((await canI('-f', policies, ...other)).code).toBe(79)
  })
  test('plaintext into STRICT ends before any policy', async () => {
    const { code, report } = await canI(
      '-f',
      policies,
      deployment,
      strict,
      '--to',
      'svc/vault.bank:80',
      '--plaintext',
      '--path',
      '/box',
      '--method',
      'GET',
    )
    expect(code).toBe(79)
    expect(report.points[0].access.stage).toBe('peer-authentication')
  })
  test('a token of another issuer is refused, no token is denied by the policy, an unknown one keeps it open', async () => {
    const claims = file('claims.json', JSON.stringify({ iss: 'https://wrong.example', sub: 'me' }))
    const wrong = await canI('-f', tokens, deployment, ...call, '--path', '/box', '--jwt', claims)
    expect(wrong.report.points[0].access).toMatchObject({ stage: 'request-authentication', status: 401 })
    const none = await canI('-f', tokens, deployment, ...call, '--path', '/box', '--no-jwt')
    expect(none.report.points[0].access).toMatchObject({ stage: 'authorization', status: 403 })
    const unknown = await canI('-f', tokens, deployment, ...call, '--path', '/box')
    expect(unknown.code).toBe(80)
    const good = file('good.json', JSON.stringify({ iss: 'https://right.example', sub: 'me', exp: 4102444800 }))
    const right = await canI('-f', tokens, deployment, ...call, '--path', '/box', '--jwt', good)
    expect(right.report.decision).not.toBe('denied')
    expect(JSON.stringify(right.report)).not.toContain('4102444800')
  })
  test('what is no YAML, empty or missing is unreadable input', async () => {
    const empty = file('empty.yaml', '\n')
    const broken = file('broken.yaml', 'a: [1\nb: }')
    const other = file('other.yaml', 'just: data')
    for (const path of [empty, broken, other, join(folder, 'nosuch.yaml')]) {
      const { code, report, stderr } = await canI('-f', path, ...call)
      expect(code, path).toBe(65)
      expect(report).toBeNull()
      expect(stderr).toMatch(/^meshtriage: /)
    }
  })
  test('without --to nothing is asked', async () => {
    const { code, stderr } = await canI('--from', 'sa/desk.front')
    expect(code).toBe(64)
    expect(stderr).toContain('--to')
  })
  test('the page names the answer first and everything considered after it', async () => {
    const { stdout } = await runCli(['can-i', '-f', policies, deployment, ...call, '--path', '/admin/keys'], {
      cwd: folder,
    })
    expect(stdout.split('\n')[0]).toBe('✗ Denied: AuthorizationPolicy bank/no-admin (DENY), rule 0 matches')
    expect(stdout).toMatch(/▸ DENY bank\/no-admin/)
    expect(stdout).toMatch(/· ALLOW bank\/desk/)
    expect(stdout).toContain('rbac_access_denied_matched_policy[ns[bank]-policy[no-admin]-rule[0]]')
  })
})

describe.skipIf(!hasShared)('can-i on captured meshes', () => {
  const ask = async (capture: string, ...argv: readonly string[]) => {
    const { code, stdout, stderr } = await runCli(['can-i', '-o', 'json', ...argv], {
      env: captureEnv(capture),
      cwd: folder,
    })
    expect(stderr).toBe('')
    return { code, report: JSON.parse(stdout) }
  }
  test('the policy that denied in the capture is the one that is named', async () => {
    const { code, report } = await ask(
      '403-deny-beats-allow',
      '--from',
      'deploy/web.shop',
      '--to',
      'svc/ledger.pay:8080',
      '--method',
      'GET',
      '--path',
      '/admin/x',
    )
    expect(code).toBe(79)
    expect(report.points[0].access.authorization.by.policy).toBe('pay/deny-admin')
    expect(report.points[0].pods).toHaveLength(2)
  })
  test('a waypoint decides before the ztunnel behind it, which sees the waypoint', async () => {
    const { report } = await ask(
      'ambient-waypoint-l7-denied',
      '--from',
      'pod/client.amb-demo',
      '--to',
      'svc/server.amb-demo:80',
      '--method',
      'POST',
      '--path',
      '/admin',
    )
    expect(report.points.map(({ point }: { point: string }) => point)).toEqual(['waypoint', 'server'])
    expect(report.points[0].access.decision).toBe('denied')
    expect(report.points[1].principal).toContain('/sa/waypoint')
  })
  test('policies that may not be read are no permission to call', async () => {
    const { code, stdout } = await runCli(
      [
        'can-i',
        '-o',
        'json',
        '--from',
        'deploy/web.shop',
        '--to',
        'svc/ledger.pay:8080',
        '--method',
        'GET',
        '--path',
        '/admin/x',
      ],
      {
        env: captureEnv('403-deny-beats-allow', { MESHBED_FORBID: 'list@authorizationpolicies.security.istio.io' }),
        cwd: folder,
      },
    )
    expect(code).toBe(80)
    const report = JSON.parse(stdout)
    expect(report.decision).toBe('cannot-decide')
    expect(report.notRead[0].unlock).toContain('authorizationpolicies')
  })
})

test('without tools the cluster cannot be asked', async () => {
  const { code, stdout, stderr } = await runCli(['can-i', '--to', 'svc/vault.bank'], { env: quietEnv(), cwd: folder })
  expect([code, stdout]).toEqual([69, ''])
  expect(stderr).toContain('not installed')
})
