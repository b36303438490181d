import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import { allowedVerbs } from '../../src/exec/allowed-verbs.ts'
import { accessLogSetting } from '../../src/mesh/access-log-setting.ts'
import { defaultMeshConfig } from '../../src/mesh/mesh-config.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { type CliResult, quietEnv, runCli } from '../helpers/cli.ts'
import { hasShared, meshesFolder, sharedFolder } from '../helpers/shared.ts'

const home = mkdtempSync(join(tmpdir(), 'meshtriage-doctor-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('doctor', () => {
  test('without tools it says so, what they cost, and what works all the same', async () => {
    const { code, stdout, stderr } = await runCli(['doctor'], { env: quietEnv() })
    expect([code, stderr]).toEqual([69, ''])
    expect(stdout).toContain('kubectl is not installed')
    expect(stdout).toContain('costs:')
    expect(stdout).toContain('meshtriage demo')
    expect(stdout).not.toContain('✓')
  })

  test('--commands prints the allow-list, all of it', async () => {
    const { code, stdout } = await runCli(['doctor', '--commands'])
    expect(code).toBe(0)
    for (const { title } of allowedVerbs) expect(stdout).toContain(title)
    const listed = JSON.parse((await runCli(['doctor', '--commands', '-o', 'json'])).stdout)
    expect(listed).toHaveLength(allowedVerbs.length)
  })

  test.each([
    ['--help', ['--help'], 0, /Examples:/, /^$/],
    ['a wrong flag', ['--nope'], 64, /^$/, /unknown option/],
    ['a wrong format', ['-o', 'pdf'], 64, /^$/, /Allowed choices/],
  ])('%s', async (_name, flags, code, stdout, stderr) => {
    const result = await runCli(['doctor', ...flags], { env: quietEnv() })
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })
})

describe.skipIf(!hasShared)('doctor of a recorded mesh (needs the captures)', () => {
  const bin = join(sharedFolder, 'meshbed', 'bin')

  function examine(mesh: string, more: Record<string, string> = {}, flags: readonly string[] = []): Promise<CliResult> {
    const env = { PATH: `${bin}:${process.env.PATH}`, HOME: home, MESHBED: join(meshesFolder, mesh), ...more }
    return runCli(['doctor', ...flags], { env })
  }
  const report = async (...args: Parameters<typeof examine>) => {
    const [mesh, more, flags = []] = args
    const { code, stdout } = await examine(mesh, more, [...flags, '-o', 'json'])
    return { code, ...JSON.parse(stdout) }
  }

  test('everything there: nothing is missing', async () => {
    const found = await report('503-overflow')
    expect(found.code).toBe(0)
    expect(found.cluster).toMatchObject({ context: 'dev', missing: null })
    expect(found.cluster.istiods[0]).toMatch(/^1\.\d+\.\d+$/)
    expect(found.permissions.every((check: any) => check.allowed === true)).toBe(true)
    expect(found.dataPlane.mode).toBe('sidecar')
    expect(found.accessLog.state).toBe('on')
  }, 60_000)

  test('exactly the missing rights are missing, with what they cost', async () => {
    const found = await report('503-overflow', { MESHBED_FORBID: 'pods/log,pods/exec,telemetries' })
    expect(found.code).toBe(80)
    const denied = found.permissions.filter((check: any) => check.allowed !== true)
    expect(denied.map(({ verb, resource }: any) => `${verb} ${resource}`)).toEqual([
      'get pods/log',
      'list telemetries.telemetry.istio.io',
      'create pods/exec',
    ])
    // What could not be read is not called on.
    expect(found.accessLog.reason).toBe('forbidden')
  }, 60_000)

  test('ambient mode is seen', async () => {
    const { dataPlane } = await report('ambient-l4-deny')
    expect(dataPlane).toMatchObject({ mode: 'ambient', ambientNamespaces: ['amb-demo'], ztunnels: 2 })
  }, 60_000)

  test('a log that a Telemetry switches off for one namespace is a loss', async () => {
    const { code, stdout } = await examine('no-access-log')
    expect(code).toBe(80)
    expect(stdout).toMatch(/access log of \S+: off/)
    // The same words in a Telemetry that changes nothing, since a file is no provider.
    expect((await examine('403-log-despite-telemetry')).code).toBe(0)
  }, 60_000)

  test('a cluster that does not answer, an expired login, no right at all', async () => {
    expect((await examine('503-overflow', { MESHBED_DOWN: '1' })).code).toBe(69)
    const nothing = await report('503-overflow', { MESHBED_FORBID: '*,*/log,*/exec,*/portforward,*/token' })
    expect(nothing.code).toBe(77)
  }, 60_000)

  test('without istioctl the rest is still told', async () => {
    const tools = mkdtempSync(join(home, 'tools-'))
    symlinkSync(join(bin, 'kubectl'), join(tools, 'kubectl'))
    symlinkSync(process.execPath, join(tools, 'node'))
    const found = await report('503-overflow', { PATH: tools })
    expect(found.code).toBe(80)
    expect(found.tools.map(({ name, missing }: any) => [name, missing?.reason ?? null])).toEqual([
      ['kubectl', null],
      ['istioctl', 'tool-missing'],
    ])
  }, 60_000)

  test("settings of the person's shell are shown", async () => {
    const { environment } = await report('503-overflow', { ISTIOCTL_ISTIONAMESPACE: 'other' })
    expect(environment).toMatchObject([{ name: 'ISTIOCTL_ISTIONAMESPACE', value: 'other' }])
  }, 60_000)
})

describe('whether access logs are written', () => {
  const telemetry = (namespace: string, accessLogging: unknown, more: object = {}): KubeObject => ({
    apiVersion: 'telemetry.istio.io/v1',
    kind: 'Telemetry',
    metadata: { name: 't', namespace },
    spec: { accessLogging, ...more },
  })
  const toStdout = { ...defaultMeshConfig, accessLog: { file: '/dev/stdout', format: '', encoding: 'TEXT' } }
  const envoy = [{ providers: [{ name: 'envoy' }] }]

  test.each([
    ['nothing is set', defaultMeshConfig, [], 'off', 0],
    ['the file is stdout', toStdout, [], 'on', 0],
    ['the file is another', { ...toStdout, accessLog: { ...toStdout.accessLog, file: '/tmp/x' } }, [], 'elsewhere', 0],
    ['a mesh-wide Telemetry names envoy', defaultMeshConfig, [telemetry('istio-system', envoy)], 'on', 0],
    [
      'a mesh-wide Telemetry names another provider',
      toStdout,
      [telemetry('istio-system', [{ providers: [{ name: 'otel' }] }])],
      'elsewhere',
      0,
    ],
    [
      'a mesh-wide Telemetry disables a provider',
      toStdout,
      [telemetry('istio-system', [{ disabled: true, ...envoy[0] }])],
      'off',
      0,
    ],
    [
      'disabling without a provider leaves the file',
      toStdout,
      [telemetry('istio-system', [{ disabled: true }])],
      'on',
      0,
    ],
    ['a namespace has its own', defaultMeshConfig, [telemetry('shop', envoy)], 'off', 1],
    [
      'some workloads have their own',
      defaultMeshConfig,
      [telemetry('istio-system', envoy, { selector: { matchLabels: { a: 'b' } } })],
      'off',
      1,
    ],
    ['a Telemetry about metrics says nothing', toStdout, [telemetry('istio-system', undefined)], 'on', 0],
  ] as const)('%s', (_name, mesh, telemetries, state, exceptions) => {
    const setting = accessLogSetting(mesh, telemetries)
    expect([setting.state, setting.exceptions.length]).toEqual([state, exceptions])
  })
})
