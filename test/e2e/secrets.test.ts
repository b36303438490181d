import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasShared } from '../helpers/shared.ts'
import { callArgs, type Ended, everythingIn, meshtriage, onlyFolder, readNote, temp } from './built-cli.ts'
import { tarOf } from './tar-of.ts'
import { plantingTools } from './wrapped-tools.ts'

const mesh = '503-dr-disable-strict'

/** Each secret has a core that is found in no other text; whatever surrounds it may stay. */
let counter = 0
const seeds: Record<string, string> = {}
function seed(kind: string, shape: (core: string) => string = (core) => core): string {
  const core = `s33d${String(++counter).padStart(2, '0')}x${kind.replace(/[^a-z]/gi, '').slice(0, 8)}Zq7`
  seeds[kind] = core
  return shape(core)
}
const base64 = (text: string) => Buffer.from(text).toString('base64')
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: 'https://issuer.example', sub: 'kept-subject', aud: 'ledger' }
const jwt = (kind: string) =>
  seed(kind, (core) => `${part({ alg: 'RS256', kid: 'kept-kid' })}.${part(claims)}.${core}${'A'.repeat(40)}`)
const line = (path: string, agent: string) =>
  `[2026-11-21T05:29:12.070Z] "GET ${path} HTTP/1.1" 503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95 0 - "-" "${agent}" "3ea4b427-b82a-4498-8894-d024164d3893" "ledger.pay:8080" "10.244.200.20:8080" outbound|8080||ledger.pay.svc.cluster.local 10.244.200.18:56536 10.96.174.150:8080 10.244.200.18:56002 - default`
const pem = (kind: string) =>
  seed(
    kind,
    (core) => `-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA${core}\n${core}\n-----END RSA PRIVATE KEY-----\n`,
  )

const planted = {
  annotations: {
    'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { name: 'db' },
      stringData: { password: seed('last-applied stringData') },
      data: { token: base64(seed('last-applied data')) },
      spec: { containers: [{ env: [{ name: 'DB_PASSWORD', value: seed('last-applied env') }] }] },
    }),
    'example.com/curl': `curl -H "Authorization: Bearer ${seed('annotation bearer', (core) => `${core}1234`)}"`,
    'example.com/dsn': `postgres://app:${seed('url credentials')}@db.internal:5432/app`,
  },
  spec: {
    env: [
      { name: 'DB_PASSWORD', value: seed('env password') },
      { name: 'STRIPE_API_KEY', value: seed('env api key') },
      { name: 'REDIS_URL', value: `redis://:${seed('env url')}@redis:6379` },
      { name: 'GITHUB_TOKEN', value: seed('env token') },
    ],
    args: ['--api-key', seed('argument'), `--password=${seed('argument with equals')}`],
    secret: { data: { 'tls.key': base64(pem('secret key')), password: base64(seed('secret data')) } },
    route: {
      headers: {
        request: {
          set: { Authorization: `Basic ${base64(`me:${seed('route basic')}`)}`, 'X-Api-Key': seed('route key') },
        },
      },
    },
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'stray', namespace: 'pay' },
        stringData: { config: seed('stray secret') },
      },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'kube', namespace: 'pay' },
        data: {
          config: `users:\n- name: admin\n  user:\n    token: ${seed('kubeconfig token')}\n    client-key-data: ${base64(pem('kubeconfig key'))}\n    password: ${seed('kubeconfig password')}\n`,
        },
      },
    ],
  },
  envoy: {
    private_key: { inline_string: pem('envoy inline key') },
    hmac_secret: { inline_bytes: base64(seed('envoy hmac')) },
    request_headers_to_add: [{ header: { key: 'x-api-key', value: seed('envoy header to add') } }],
  },
  logLines: [
    line(`/v1/balance?access_token=${seed('query token')}&page=2`, 'curl/7.88.1'),
    line('/v1/balance', `agent Bearer ${seed('agent bearer', (core) => `${core}99`)}`),
    line(`/v1/balance?jwt=${jwt('query jwt')}`, 'curl/7.88.1'),
    `debug envoy http headers: 'authorization', 'Bearer ${jwt('debug header jwt')}' 'cookie', 'session=${seed('debug cookie')}'`,
    `authorization: Basic ${base64(`me:${seed('log basic')}`)}`,
    `set-cookie: sid=${seed('log set-cookie')}; Path=/`,
    `x-api-key: ${seed('log api key')}`,
    pem('log private key').replaceAll('\n', '\\n'),
  ],
  stderr: `W1121 warning: Authorization: Bearer ${seed('stderr bearer', (core) => `${core}42`)}\nwarning: https://admin:${seed('stderr url')}@10.0.0.1:6443/api\n`,
}

const curlText = `* Connected to ledger.pay (10.96.174.150) port 8080
> GET /v1/balance?api_key=${seed('curl query')} HTTP/1.1
> Host: ledger.pay:8080
> Authorization: Bearer ${jwt('curl bearer')}
> Cookie: session=${seed('curl cookie')}
> X-Api-Key: ${seed('curl api key')}
>
< HTTP/1.1 503 Service Unavailable
< set-cookie: sid=${seed('curl set-cookie')}
< server: envoy
<
upstream connect error or disconnect/reset before headers. reset reason: connection termination
$ curl -v -u me:${seed('curl user')} http://ledger.pay:8080/v1/balance
`
const given = [
  '--header',
  `Authorization=Bearer ${jwt('given authorization')}`,
  '--header',
  `cookie=session=${seed('given cookie')}`,
  '--header',
  `X-Api-Key=${seed('given api key')}`,
  '--header',
  `X-Internal-Secret: ${seed('given secret header')}`,
  '--path',
  `/v1/balance?token=${seed('given path')}`,
]
const ownSecret = seed('own pattern', (core) => `customer-${core}`)

function leaks(text: string): string[] {
  return Object.entries(seeds).flatMap(([kind, core]) =>
    text.includes(core) || text.includes(base64(core).replace(/=+$/, '').slice(0, -1)) ? [kind] : [],
  )
}
const said = ({ stdout, stderr }: Ended) => `${stdout}\n${stderr}`

describe.skipIf(!hasShared)('secrets, planted everywhere a walk looks', () => {
  let env: Record<string, string>
  let folder: string
  let session: string
  let files: string[]

  beforeAll(async () => {
    env = plantingTools({ ...planted, logLines: [...planted.logLines, line(`/v1/balance?id=${ownSecret}`, 'x')] })
    folder = temp('project')
    writeFileSync(join(folder, '.meshtriage.yaml'), 'redact:\n  patterns:\n    - customer-\\w+\n')
    writeFileSync(join(folder, 'curl.txt'), curlText)
    writeFileSync(join(folder, 'log.txt'), `${planted.logLines.join('\n')}\n${ownSecret}\n`)
    writeFileSync(join(folder, 'claims.json'), JSON.stringify({ ...claims, access_token: seed('claims token') }))
    files = ['--log', join(folder, 'log.txt'), '--curl', join(folder, 'curl.txt'), '--jwt', join(folder, 'claims.json')]
    const parent = temp('sessions')
    const ended = await meshtriage(
      ['diagnose', ...callArgs(mesh).slice(0, 5), ...given, ...files, '--save', parent, '-o', 'json'],
      { mesh, env, cwd: folder },
    )
    expect(ended.code).toBe(79)
    expect(leaks(said(ended))).toEqual([])
    session = onlyFolder(parent)
  }, 60_000)

  test('the session holds none of them, neither in files nor in their names', () => {
    const everything = everythingIn(session)
    expect(leaks(everything)).toEqual([])
    // They were there to be found, and what may stay has stayed.
    expect(everything).toContain('last-applied-configuration')
    expect(everything).toContain(part(claims))
    expect(everything).toContain('DB_PASSWORD')
  })

  test('the note counts what was removed, and the verdict is the one without them', () => {
    const note = readNote(readFileSync(join(session, 'note.json'), 'utf8'))
    expect(note.redaction.applied).toBe(true)
    expect(note.redaction.rules).toContain('private-key')
    expect(Object.keys(note.redaction.counts)).toEqual(
      expect.arrayContaining(['jwt', 'header', 'env', 'secret-object', 'private-key', 'url-credentials', 'own']),
    )
    expect(note.causes[0]).toMatchObject({ code: 'dr-tls-disable-vs-strict', certainty: 'proven' })
  })

  test.each(['text', 'markdown', 'html', 'slack', 'short', 'yaml'])('diagnose -o %s', async (format) => {
    const ended = await meshtriage(
      ['diagnose', ...callArgs(mesh).slice(0, 5), ...given, ...files, '--no-save', '-o', format],
      { mesh, env, cwd: folder },
    )
    expect(ended.code).toBe(79)
    expect(leaks(said(ended))).toEqual([])
  })

  test('--events, replay and the note again', async () => {
    const args = ['diagnose', ...callArgs(mesh).slice(0, 5), ...given, ...files, '--no-save']
    expect(leaks(said(await meshtriage([...args, '--events'], { mesh, env, cwd: folder })))).toEqual([])
    for (const more of [['-o', 'json'], ['--events'], ['-o', 'html']])
      expect(leaks(said(await meshtriage(['replay', session, ...more], { cwd: folder })))).toEqual([])
    for (const format of ['markdown', 'html', 'slack'])
      expect(
        leaks(said(await meshtriage(['note', 'render', join(session, 'note.json'), '-o', format], { cwd: folder }))),
      ).toEqual([])
  })

  test.each([
    ['logs', ['logs', 'deploy/web.shop']],
    ['logs -o json', ['logs', 'deploy/web.shop', '-o', 'json']],
    ['logs of a file', ['logs', 'log.txt']],
    ['logs as NDJSON', ['logs', 'log.txt', '-o', 'ndjson']],
    ['explain a line', ['explain', planted.logLines[0] ?? '']],
    ['explain a transcript', ['explain', curlText]],
    ['trace', ['trace', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', ...given]],
    ['trace as JSON', ['trace', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', ...given, '-o', 'json']],
    ['can-i', ['can-i', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', ...given]],
    ['can-i as JSON', ['can-i', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', ...given, '-o', 'json']],
    ['mtls', ['mtls', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', '-o', 'json']],
    ['proxies', ['proxies', '-o', 'json']],
    ['lint', ['lint', '-n', 'pay', '-o', 'json']],
    ['doctor', ['doctor', '-o', 'json']],
    ['a wrong header', ['diagnose', '503', '--header', `Bearer ${seed('wrong header')}`]],
    ['a wrong target', ['diagnose', '503', '--to', `http://me:${seed('wrong target')}@ledger.pay/`]],
    ['a wrong path', ['diagnose', '503', '--log', `/nowhere?token=${seed('wrong file')}`]],
  ])('%s', async (_, args) => {
    expect(leaks(said(await meshtriage(args, { mesh, env, cwd: folder })))).toEqual([])
  })

  test('an archive', async () => {
    const report = [
      [
        'bug-report/cluster/k8s-resources',
        `apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: db\n    namespace: pay\n  data:\n    password: ${base64(seeds['secret data'] ?? '')}\nkind: List\n`,
      ],
      ['bug-report/proxies/pay/ledger-1/istio-proxy.log', planted.logLines.join('\n')],
      ['bug-report/versions', 'CLI version:\nversion.BuildInfo{Version:"1.30.3"}\n'],
    ] as const
    const file = join(folder, 'bug-report.tar.gz')
    writeFileSync(file, gzipSync(tarOf(report.map(([name, text]) => ({ name, text })))))
    const parent = temp('archived')
    for (const args of [
      ['--open', file],
      ['503', '--open', file, '--to', 'pod/ledger-1.pay'],
      ['--open', file, '-o', 'json'],
    ]) {
      const ended = await meshtriage(['diagnose', ...args, '--save', parent], { cwd: folder })
      expect([79, 80]).toContain(ended.code)
      expect(leaks(said(ended))).toEqual([])
    }
    expect(leaks(everythingIn(parent))).toEqual([])
  })

  test('a wrong pattern in the settings is named by its place', async () => {
    const cwd = temp('settings')
    writeFileSync(join(cwd, '.meshtriage.yaml'), `redact:\n  patterns:\n    - "${seed('pattern')}("\n`)
    const ended = await meshtriage(['diagnose', '503', '--to', 'svc/a.b'], { cwd })
    expect(ended).toMatchObject({ code: 64, stderr: expect.stringContaining('redaction pattern 1') })
    expect(leaks(said(ended))).toEqual([])
  })
})

describe('--no-redact', () => {
  test.each(['html', 'slack'])('is refused for -o %s', async (format) => {
    const ended = await meshtriage(['diagnose', '503', '--to', 'svc/a.b', '--no-redact', '-o', format])
    expect(ended).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining('--no-redact is refused') })
  })

  test.skipIf(!hasShared)('keeps what there is in the session, readable by its owner only', async () => {
    const parent = temp('raw')
    mkdirSync(parent, { recursive: true })
    const env = plantingTools(planted)
    const ended = await meshtriage(
      ['diagnose', ...callArgs(mesh), '--no-redact', '--save', parent, '-o', 'json', '-q'],
      { mesh, env },
    )
    const note = readNote(ended.stdout)
    expect(note.redaction).toEqual({ applied: false, rules: [], counts: {} })
    const folder = onlyFolder(parent)
    expect(everythingIn(folder)).toContain(seeds['env password'])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    // A replay shows a note to somebody: without what the session holds.
    expect(leaks(said(await meshtriage(['replay', folder, '-o', 'html'])))).toEqual([])
  })
})
