import { describe, expect, test } from 'vitest'
import { runCli } from '../helpers/cli.ts'
import { captures, hasShared } from '../helpers/shared.ts'
import { captureEnv, readScenario } from '../helpers/walk-capture.ts'

async function trace(capture: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runCli(['trace', '-o', 'json', ...argv], {
    env: captureEnv(capture, env),
    cwd: '/',
  })
  return { code, stderr, chain: stdout === '' ? null : JSON.parse(stdout) }
}

function flagsOf(capture: string): string[] {
  const { call } = readScenario(capture)
  const from = call.from && call.from !== 'unknown' ? ['--from', call.from] : []
  return [...from, '--to', call.to, '--host', call.host, '--method', call.method, '--path', call.path]
}

describe.skipIf(!hasShared)('trace', () => {
  test.each([
    ['503-dr-disable-strict', 'breaks', 'plaintext', 'DestinationRule shop/ledger-tls'],
    ['503-subset-undefined', 'breaks', 'cluster_not_found', 'VirtualService default/reviews-broken'],
    ['503-no-endpoints', 'breaks', 'no_healthy_upstream', 'Service'],
    ['404-gateway-host', 'breaks', 'route_not_found', ''],
    ['502-registry-only', 'answered', 'REGISTRY_ONLY', ''],
    ['403-deny-beats-allow', 'breaks', 'pay/deny-admin', 'AuthorizationPolicy pay/deny-admin'],
    ['ambient-waypoint-l7-denied', 'breaks', 'waypoint', 'AuthorizationPolicy'],
    ['reset-strict-legacy', 'breaks', 'plaintext', 'PeerAuthentication pay/default'],
  ])('%s ends where the capture ended', async (capture, outcome, words, from) => {
    const { code, chain } = await trace(capture, flagsOf(capture))
    expect(code).toBe(79)
    expect(chain.outcome).toBe(outcome)
    expect(JSON.stringify(chain)).toContain(words)
    expect(JSON.stringify(chain.hops)).toContain(from)
  })
  test.each(captures.filter((name) => /^(healthy|permissive|ambient-allowed)/.test(name)))(
    '%s reaches the application',
    async (capture) => {
      const { code, chain } = await trace(capture, flagsOf(capture))
      expect(chain).toMatchObject({ outcome: 'reaches-app', kind: 'CallTrace' })
      expect(chain.hops.at(-1).role).toBe('app')
      expect(code).toBe(0)
    },
  )
  test('both ends say what they do about TLS, and who made them', async () => {
    const { chain } = await trace('healthy-strict', flagsOf('healthy-strict'))
    expect(chain.links).toHaveLength(1)
    expect(chain.links[0]).toMatchObject({ state: 'ok', accepts: { mode: 'STRICT' } })
    expect(chain.links[0].accepts.from).toMatch(/^PeerAuthentication /)
    expect(chain.links[0].sends.what).toContain('mutual TLS')
  })
  test('a proxy that may not be asked leaves the chain open, never whole', async () => {
    const { code, chain } = await trace('healthy-strict', flagsOf('healthy-strict'), {
      MESHBED_FORBID_PORTFORWARD: '1',
    })
    expect(code).toBe(80)
    expect(chain.outcome).toBe('cannot-decide')
    expect(chain.notRead.length).toBeGreaterThan(0)
    expect(chain.notRead[0].unlock).toContain('portforward')
  })
  test('the drawing is cut where the call ends, and keeps within 80 columns', async () => {
    const { stdout } = await runCli(['trace', ...flagsOf('503-dr-disable-strict')], {
      env: captureEnv('503-dr-disable-strict', { NO_COLOR: '1' }),
      tty: true,
      columns: 80,
      stdin: '',
    })
    const lines = stdout.split('\n')
    expect(lines[0]).toBe('✗ Breaks between the two ends: STRICT has no filter chain for plaintext')
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(80)
    expect(stdout).toContain('╳ sends plaintext')
    expect(stdout).toContain('← DestinationRule shop/ledger-tls')
    expect(stdout).not.toContain('application')
  })
  test('without a caller only the destination is shown, and the answer stays open', async () => {
    const { code, chain } = await trace('healthy-strict', ['--to', 'svc/ledger.pay:8080'])
    expect(code).toBe(80)
    expect(chain.assumptions.join(' ')).toContain('--from')
  })
})

test('a call needs a destination', async () => {
  const { code, stderr } = await runCli(['trace', '--from', 'deploy/web.shop'])
  expect(code).toBe(64)
  expect(stderr).toContain('--to')
})
