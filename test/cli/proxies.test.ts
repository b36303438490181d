import { describe, expect, test } from 'vitest'
import proxyStatus from '../../parsers/proxy-status.ts'
import { hasProblem, isOpen, syncReport, syncText } from '../../src/report/sync-table.ts'
import { runCli } from '../helpers/cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { captureEnv } from '../helpers/walk-capture.ts'

async function proxies(capture: string, argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runCli(['proxies', ...argv], {
    env: captureEnv(capture, env),
    cwd: '/',
    now: new Date('2026-11-21T07:00:00Z'),
  })
  return { code, stdout, stderr }
}

describe.skipIf(!hasShared)('proxies on captured meshes', () => {
  test.each(['1.26', '1.28', '1.30'])('a stale proxy is found with istioctl %s', async (version) => {
    const { code, stdout } = await proxies('stale-eds', ['-o', 'json'], { MESHBED_ISTIOCTL: version })
    const report = JSON.parse(stdout)
    expect(code).toBe(79)
    expect(report.proxies[0].proxy).toMatch(/^web-/)
    expect(report.proxies[0].worst).toBe('STALE')
    expect(report.proxies.filter(({ worst }: { worst: string }) => worst !== 'ok')).toHaveLength(1)
    expect(report.proxies[0].types.EDS.ageSeconds).toEqual(expect.any(Number))
  })
  test('STALE and ERROR get the opposite advice', async () => {
    const stale = (await proxies('stale-eds')).stdout.replace(/\s+/g, ' ')
    const error = (await proxies('nack-listener')).stdout.replace(/\s+/g, ' ')
    expect(stale).toContain('a restart of the pod helps')
    expect(stale).not.toContain('Do not restart')
    expect(error).toContain('Do not restart these pods')
    expect(error).not.toContain('restart of the pod helps')
  })
  test('nothing connected where something runs is told, and only then', async () => {
    const healthy = JSON.parse((await proxies('healthy-strict', ['-o', 'json'])).stdout)
    expect(healthy.notConnected).toEqual([])
    const blind = JSON.parse(
      (await proxies('healthy-strict', ['-o', 'json'], { MESHBED_GARBAGE: 'istioctl proxy-status' })).stdout,
    )
    expect(blind.notConnected).toBeNull()
    const hidden = JSON.parse((await proxies('healthy-strict', ['-o', 'json'], { MESHBED_FORBID: 'shop:pods' })).stdout)
    expect(hidden.notConnected).toBeNull()
  })
  test('a namespace narrows the list', async () => {
    const { code, stdout } = await proxies('stale-eds', ['-n', 'pay', '-o', 'json'])
    expect(code).toBe(0)
    expect(new Set(JSON.parse(stdout).proxies.map(({ namespace }: { namespace: string }) => namespace))).toEqual(
      new Set(['pay']),
    )
  })
  test.each([
    [{ MESHBED_FORBID_PORTFORWARD: '1' }, 77],
    [{ MESHBED_DOWN: '1' }, 69],
    [{ MESHBED_GARBAGE: 'istioctl proxy-status' }, 80],
  ])('%j exits %i', async (env, exit) => {
    expect((await proxies('stale-eds', [], env)).code).toBe(exit)
  })
})

describe('the sync report', () => {
  const input = {
    nowMs: Date.parse('2026-01-01T00:10:00Z'),
    istioctl: '1.27.1',
    controlPlanes: new Map([['istiod-1', '1.30.0']]),
    expected: [],
    namespace: null,
    notRead: [],
  }
  const of = (text: string) => syncReport({ ...input, status: proxyStatus.parse(text) })

  test('a table without states says nothing good', () => {
    const report = of(
      'NAME      CLUSTER     ISTIOD    VERSION  SUBSCRIBED TYPES\na.x       K           istiod-1  1.30.0   4 (CDS,LDS,EDS,RDS)\n',
    )
    expect(report.proxies[0]?.worst).toBe('unknown')
    expect(report.summary).toContain('not known')
    expect([hasProblem(report), isOpen(report)]).toEqual([false, true])
    expect(syncText(report)).not.toContain('✓')
  })
  test.each([
    ['1.30.2', 'none'],
    ['1.29.9', 'one-minor'],
    ['1.28.0', 'too-old'],
    ['1.31.0', 'too-new'],
  ])('version %s against 1.30 is %s', (version, skew) => {
    const report = of(
      `NAME      CDS        LDS        ISTIOD      VERSION\na.x       SYNCED     SYNCED     istiod-1    ${version}\n`,
    )
    expect(report.proxies[0]?.skew).toBe(skew)
    expect(hasProblem(report)).toBe(skew.startsWith('too'))
  })
  test('five thousand proxies take no time to speak of', () => {
    const rows = Array.from({ length: 5000 }, (_, at) => {
      const name = `web-${String(at).padStart(5, '0')}.shop`
      return `${name}    SYNCED (2m3s)    SYNCED (2m3s)    ${at === 4321 ? 'STALE (9m)   ' : 'SYNCED (2m3s)'}    istiod-1    1.30.0`
    })
    const status = proxyStatus.parse(
      `NAME              CDS              LDS              EDS              ISTIOD      VERSION\n${rows.join('\n')}\n`,
    )
    const started = performance.now()
    const text = syncText(syncReport({ ...input, status }))
    // Half a second alone on a slow machine; what grows with the square would take a minute.
    expect(performance.now() - started).toBeLessThan(4000)
    expect(text.match(/^web-/gm)).toHaveLength(5000)
    expect(text.split('\n')[3]).toContain('web-04321.shop')
  })
})
