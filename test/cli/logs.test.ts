import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { quietEnv, runCli } from '../helpers/cli.ts'
import { hasShared, meshesFolder, sharedFolder } from '../helpers/shared.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshtriage-logs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface Fields {
  readonly time?: string
  readonly code?: number
  readonly flags?: string
  readonly details?: string
  readonly path?: string
  readonly upstream?: string
  readonly upstreamTime?: string
  readonly cluster?: string
  readonly peer?: string
  readonly agent?: string
}

function line(fields: Fields = {}): string {
  const {
    time = '10:00:01.000',
    code = 200,
    flags = '-',
    details = 'via_upstream',
    path = '/api',
    agent = 'curl/8',
  } = fields
  const {
    upstream = '10.2.0.11:8080',
    cluster = 'outbound|8080||ledger.pay.svc.cluster.local',
    peer = '10.1.0.5',
  } = fields
  return `[2026-01-01T${time}Z] "GET ${path} HTTP/1.1" ${code} ${flags} ${details} - "-" 0 95 3 ${fields.upstreamTime ?? (upstream === '-' ? '-' : '2')} "-" "${agent}" "0f2b" "ledger.pay:8080" "${upstream}" ${cluster} 10.1.0.5:4444 10.96.0.1:8080 ${peer}:5555 - default`
}

const atServer = { cluster: 'inbound|8080||', details: 'via_upstream' }
const noHost = { code: 503, flags: 'UH', details: 'no_healthy_upstream', upstream: '-' }
const denied = {
  ...atServer,
  code: 403,
  details: 'rbac_access_denied_matched_policy[ns[pay]-policy[deny]-rule[0]]',
  upstream: '-',
}

async function summary(text: string, ...flags: string[]) {
  const { code, stdout, stderr } = await runCli(['logs', '-', '-o', 'json', ...flags], { stdin: text })
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

describe('logs summary', () => {
  test('says who answered, with shares and first and last seen', async () => {
    const log = [
      line(),
      line({ ...noHost, time: '10:00:05.000' }),
      line({ ...noHost, time: '10:00:09.500' }),
      line(atServer),
    ].join('\n')
    const { who, failed, records, first, last } = await summary(log)
    expect({ failed, records, first, last }).toEqual({
      failed: 2,
      records: 4,
      first: '2026-01-01T10:00:01.000Z',
      last: '2026-01-01T10:00:09.500Z',
    })
    expect(who).toEqual([
      {
        who: 'app',
        count: 2,
        share: 0.5,
        failed: 0,
        first: '2026-01-01T10:00:01.000Z',
        last: '2026-01-01T10:00:01.000Z',
      },
      {
        who: 'client-proxy',
        count: 2,
        share: 0.5,
        failed: 2,
        first: '2026-01-01T10:00:05.000Z',
        last: '2026-01-01T10:00:09.500Z',
      },
    ])
  })

  test('a passed-on failure is not blamed on the application', async () => {
    const { who } = await summary(line({ code: 503 }))
    expect(who.map((group: any) => group.who)).toEqual(['next-hop'])
  })

  test('lines that differ only in what decides are not thrown together', async () => {
    // The same code, flags and cluster: one passed on, one made by the server's proxy, one by the application.
    const log = [
      line({ ...atServer, code: 403 }),
      line(denied),
      line({ ...atServer, code: 403, upstream: '-', details: '-', upstreamTime: '-' }),
    ].join('\n')
    const { offenders } = await summary(log)
    expect(offenders.map(({ who, details }: any) => `${who} ${details}`).sort()).toEqual([
      'app via_upstream',
      'server-proxy null',
      `server-proxy ${denied.details}`,
    ])
  })

  test('failures that say the same are one offender with its destinations', async () => {
    const log = ['a', 'b', 'b']
      .map((name) => line({ ...noHost, cluster: `outbound|80||${name}.x.svc.cluster.local` }))
      .join('\n')
    const { offenders } = await summary(log)
    expect(offenders).toHaveLength(1)
    expect(offenders[0]).toMatchObject({
      count: 3,
      destinations: ['outbound|80||b.x.svc.cluster.local', 'outbound|80||a.x.svc.cluster.local'],
    })
  })

  test('paths are counted without what follows the question mark', async () => {
    const { failedPaths } = await summary([1, 2].map((n) => line({ ...noHost, path: `/x?token=${n}` })).join('\n'))
    expect(failedPaths.entries).toMatchObject([{ key: '/x', count: 2 }])
  })

  test('JSON lines, agent lines and unreadable ones are told apart', async () => {
    const json = JSON.stringify({
      start_time: '2026-01-01T10:00:00.000Z',
      method: 'GET',
      path: '/',
      protocol: 'HTTP/1.1',
      response_code: 503,
      response_flags: 'UH',
      response_code_details: 'no_healthy_upstream',
      upstream_cluster: 'outbound|80||a.b.svc.cluster.local',
      duration: 1,
      bytes_sent: 0,
      bytes_received: 0,
    })
    const agent = '2026-01-01T10:00:00.000000Z\tinfo\txdsproxy\tconnected to delta upstream XDS server: istiod:15012'
    const found = await summary([json, agent, '%%% no log'].join('\n'))
    expect(found).toMatchObject({ lines: 3, records: 1, failed: 1, flags: { entries: [{ key: 'UH' }] } })
    expect(found.other + found.unreadable).toBe(2)
  })

  test('ztunnel lines have a summary of their own', async () => {
    const tunnel =
      '2026-01-01T10:00:00.000000Z\terror\taccess\tconnection complete\tsrc.addr=10.1.0.5:1 src.workload="web" src.namespace="shop" dst.addr=10.2.0.1:15008 dst.workload="ledger" dst.namespace="pay" direction="inbound" error="connection closed due to policy rejection: explicitly denied by: pay/deny"'
    const { ztunnel } = await summary(tunnel)
    expect(ztunnel).toMatchObject({
      connections: 1,
      failed: 1,
      errors: [{ from: 'web.shop', to: 'ledger.pay', count: 1 }],
    })
  })

  test('very many different details cost neither memory nor a line', async () => {
    const log = Array.from({ length: 7000 }, (_, n) =>
      line({ ...noHost, details: `custom_${n}`, path: `/p/${n}` }),
    ).join('\n')
    const found = await summary(log)
    expect(found.records).toBe(7000)
    expect(found.who).toMatchObject([{ who: 'client-proxy', count: 7000, failed: 7000 }])
    expect(found.failedPaths.others).toBeGreaterThan(0)
  })

  test('the text answers first and stays within 80 columns', async () => {
    const log = [line(), line({ ...denied, agent: 'x\u001b[31m' }), line(noHost)].join('\n')
    const { stdout } = await runCli(['logs', '-'], { stdin: log })
    expect(stdout.split('\n')[0]).toContain('2 of 3 lines failed')
    expect(stdout).toContain("the server's proxy")
    expect(Math.max(...stdout.split('\n').map((each) => each.length))).toBeLessThanOrEqual(80)
    expect(stdout).not.toContain('\u001b')
  })
})

describe('logs filters', () => {
  const log = [line(), line({ ...noHost, path: '/api/x' }), line({ ...denied, path: '/admin' })].join('\n')

  test.each([
    ['code>=500', 1],
    ['code>=400 path~^/api', 1],
    ['flag=UH', 1],
    ['flag!=UH', 2],
    ['flag=-', 2],
    ['detail~rbac', 1],
    ['who=server-proxy', 1],
    ['failed=true', 2],
    ['path!~admin code<500', 1],
    ['peer=10.1.0.5', 3],
    ['duration>3', 0],
  ])('%s', async (where, records) => {
    expect((await summary(log, '--where', where)).records).toBe(records)
  })

  test.each(['nope=1', 'code>=abc', 'path~(', 'code'])('a filter that cannot be read is refused: %s', async (where) => {
    const { code, stdout, stderr } = await runCli(['logs', '-', '--where', where], { stdin: log })
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain('--where')
  })

  test('--since leaves out older lines of a file, by their own time', async () => {
    const path = file('since.log', [line({ time: '09:00:00.000' }), line({ time: '10:00:00.000' })].join('\n'))
    const { stdout } = await runCli(['logs', path, '--since', '30m', '-o', 'json'], {
      now: new Date('2026-01-01T10:10:00Z'),
    })
    expect(JSON.parse(stdout)).toMatchObject({ records: 1, skipped: 1 })
  })

  test('--tail reads the end of a file only', async () => {
    const path = file('tail.log', `${Array.from({ length: 3000 }, (_, n) => line({ path: `/${n}` })).join('\n')}\n`)
    const { stdout } = await runCli(['logs', path, '--tail', '1200', '-o', 'ndjson'])
    const paths = stdout
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each).path)
    expect([paths.length, paths[0], paths.at(-1)]).toEqual([1200, '/1800', '/2999'])
  })
})

describe('logs line by line', () => {
  test('ndjson says who answered each line and keeps no token', async () => {
    const log = [line(noHost), line({ path: '/x?access_token=abcdef0123456789abcdef' })].join('\n')
    const { stdout } = await runCli(['logs', '-', '-o', 'ndjson'], { stdin: log })
    const items = stdout
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each))
    expect(items.map(({ who, failed }) => [who, failed])).toEqual([
      ['client-proxy', true],
      ['app', false],
    ])
    expect(stdout).not.toContain('abcdef0123456789')
  })

  test('--follow colours by who answered, on a terminal only', async () => {
    const log = `${line(noHost)}\n${line({ ...atServer, code: 500 })}\n`
    const path = file('follow.log', log)
    const env = { PATH: '', HOME: '/nonexistent' }
    const { stdout } = await runCli(['logs', path, '--follow'], { tty: true, env })
    const colours = stdout
      .trim()
      .split('\n')
      .map((each) => /^\u001b\[(\d+)m/.exec(each)?.[1])
    expect(new Set(colours).size).toBe(2)
    expect((await runCli(['logs', path, '--follow'])).stdout).not.toContain('\u001b')
  })

  test('hostile paths move no cursor', async () => {
    const { stdout } = await runCli(['logs', '-', '-f'], { stdin: line({ path: '/\u001b[2J\u202eabc' }) })
    expect(stdout).not.toMatch(/[\u001b\u202e]/)
  })
})

describe('logs, when things are not as they should be', () => {
  test.each([
    ['--help', ['--help'], 0, /Examples:/, /^$/],
    ['a wrong flag', ['--nope'], 64, /^$/, /unknown option/],
    ['--follow with one document', ['-', '-f', '-o', 'json'], 64, /^$/, /ndjson/],
    ['--tail that is no number', ['-', '--tail', 'x'], 64, /^$/, /no number/],
    ['--since that is no duration', ['-', '--since', 'soon'], 64, /^$/, /no duration/],
    ['a format that is none', ['-', '--format', 'plain'], 64, /^$/, /OPERATOR/],
    ['no such file', ['./nowhere.log'], 65, /^$/, /no such file/],
    ['a folder', ['/'], 65, /^$/, /is a folder/],
    ['no kubectl', ['deploy/web.shop'], 69, /^$/, /kubectl is not installed/],
    ['a kind that is none', ['gizmo/web.shop'], 64, /^$/, /no kind of target/],
  ])('%s', async (_name, argv, code, stdout, stderr) => {
    const result = await runCli(['logs', ...argv], { stdin: '', env: quietEnv() })
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })

  test('a terminal without a source gets an example', async () => {
    const { code, stderr } = await runCli(['logs'], { tty: true })
    expect(code).toBe(64)
    expect(stderr).toContain('deploy/web.shop')
  })

  test('an empty log is an answer, and not called healthy', async () => {
    const { code, stdout } = await runCli(['logs'], { stdin: '' })
    expect(code).toBe(0)
    expect(stdout).toContain('the log is empty')
    expect(stdout).not.toContain('✓')
  })

  test('binary input is refused and not shown', async () => {
    const { code, stdout, stderr } = await runCli(['logs', '-'], {
      stdin: Uint8Array.from({ length: 20_000 }, (_, index) => (index * 151 + (index >> 3)) % 256),
    })
    expect(code).toBe(65)
    expect(stderr).toContain("of a proxy's log")
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  test('a compressed file is read, a damaged one is refused', async () => {
    const packed = gzipSync(`${line(noHost)}\n`)
    const { stdout } = await runCli(['logs', file('a.log.gz', packed), '-o', 'json'])
    expect(JSON.parse(stdout).failed).toBe(1)
    const damaged = await runCli(['logs', file('b.log.gz', packed.subarray(0, 20))])
    expect(damaged.code).toBe(65)
  })

  test('a custom format is read when it is given', async () => {
    const log = '503|UH|no_healthy_upstream|outbound|80||a.b.svc.cluster.local\n'
    const format = '%RESPONSE_CODE%|%RESPONSE_FLAGS%|%RESPONSE_CODE_DETAILS%|%UPSTREAM_CLUSTER_RAW%'
    expect((await runCli(['logs', '-'], { stdin: log })).code).toBe(65)
    const { code, stdout } = await runCli(['logs', '-', '-o', 'json', '--format', format], { stdin: log })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).flags.entries).toMatchObject([{ key: 'UH', count: 1 }])
  })

  test('--parse-only counts every line once', async () => {
    const { stdout } = await runCli(['logs', '--parse-only', file('p.log', `${line()}\nnope\n\n`)])
    expect(stdout).toContain('3 lines: 1 access log, 0 other, 1 blank, 1 unreadable')
    expect(stdout).toMatch(/MB\/s/)
  })
})

describe.skipIf(!hasShared)('logs of a recorded mesh (needs the captures)', () => {
  const live = (mesh: string, more: Record<string, string> = {}) => ({
    env: {
      PATH: `${join(sharedFolder, 'meshbed/bin')}:${process.env.PATH}`,
      HOME: folder,
      MESHBED: join(meshesFolder, mesh),
      ...more,
    },
  })

  test('a workload means all its pods, a service those behind it', async () => {
    const { stdout } = await runCli(['logs', 'svc/ledger.pay', '-o', 'json'], live('403-deny-beats-allow'))
    const { sources, who } = JSON.parse(stdout)
    expect(sources.length).toBeGreaterThan(1)
    expect(who.map((group: any) => group.who)).toContain('server-proxy')
  })

  test('a ztunnel is read as one', async () => {
    const { stdout } = await runCli(['logs', 'ds/ztunnel', '-n', 'istio-system', '-o', 'json'], live('ambient-l4-deny'))
    expect(JSON.parse(stdout).ztunnel.failed).toBeGreaterThan(0)
  })

  test('a pod without a proxy is said to have none', async () => {
    const { code, stderr } = await runCli(['logs', 'deploy/batch.shop'], live('reset-strict-legacy'))
    expect(code).toBe(65)
    expect(stderr).toContain('no container istio-proxy')
  })

  test('forbidden logs are no empty logs', async () => {
    const { code, stdout, stderr } = await runCli(
      ['logs', 'deploy/web.shop'],
      live('503-overflow', { MESHBED_FORBID: 'pods/log' }),
    )
    expect([code, stdout]).toEqual([77, ''])
    expect(stderr).toContain('auth can-i get pods --subresource=log -n shop')
  })

  test('whoever may read a log but not list pods can name the pod', async () => {
    const mesh = live('503-overflow', { MESHBED_FORBID: 'list@pods' })
    const { code } = await runCli(['logs', 'web-8c495b54b-q859f', '-n', 'shop'], mesh)
    expect(code).toBe(0)
    expect((await runCli(['logs', 'deploy/web.shop'], mesh)).code).toBe(77)
  })

  test('a cluster that does not answer, and a pod that is not there', async () => {
    expect((await runCli(['logs', 'deploy/web.shop'], live('503-overflow', { MESHBED_DOWN: '1' }))).code).toBe(69)
    const nobody = await runCli(['logs', 'deploy/nobody.shop'], live('503-overflow'))
    expect(nobody.code).toBe(65)
    expect(nobody.stderr).toContain('no pod belongs to deploy/nobody.shop')
  })
})
