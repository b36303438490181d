import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { check } from '../../src/exec/allow-list.ts'
import { captures, hasShared, meshesFolder, readJson } from '../helpers/shared.ts'
import { callArgs, meshtriage, temp } from './built-cli.ts'

interface Started {
  readonly file: string
  readonly args: readonly string[]
  readonly shell: unknown
}
interface Invocation {
  readonly tool: string
  readonly argv: readonly string[]
  readonly exit: number | null
}

const lines = <T>(path: string): T[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T)
    : []

/** Flags that say whose cluster it is: added when a command starts, after the list was asked. */
const personal = /^--(?:context|kubeconfig|as|as-group|log_target)=/

/** Runs a command line and returns what it started, and how meshbed took it. */
async function watched(args: readonly string[], mesh: string, env: Record<string, string> = {}) {
  const folder = temp('watched')
  const [started, trace] = [join(folder, 'started'), join(folder, 'trace')]
  const ended = await meshtriage(args, {
    mesh,
    node: ['--import', join(import.meta.dirname, 'recording-preload.mjs')],
    env: { STARTED: started, MESHBED_TRACE: trace, ...env },
  })
  return { ended, started: lines<Started>(started), invocations: lines<Invocation>(trace) }
}

function expectReadsOnly(started: readonly Started[], invocations: readonly Invocation[]): void {
  for (const { file, args, shell } of started) {
    expect(['kubectl', 'istioctl'], `${file} ${args.join(' ')}`).toContain(file)
    expect(shell).toBe(false)
    const own = args.filter((arg) => !personal.test(arg))
    expect(check({ file: file as 'kubectl', args: own }), `${file} ${own.join(' ')}`).toEqual({
      allowed: true,
      effect: 'reads',
      onlyOnRequest: false,
    })
  }
  // meshbed's own opinion: 97 would have changed something, 98 is a broken harness.
  expect(invocations.filter(({ exit }) => exit === 97 || exit === 98)).toEqual([])
  expect(invocations.length).toBe(started.length)
}

const bySymptom = new Map<string, string>()
for (const name of captures) {
  const symptom: string = readJson(join(meshesFolder, name, 'scenario.json')).symptom.arg ?? '503'
  if (!bySymptom.has(symptom)) bySymptom.set(symptom, name)
}
const walks = process.env.FULL ? [...captures] : [...bySymptom.values()]

/** In one capture a proxy never answers, and the walk waits for it as long as a person would. */
const slow = 120_000

describe.skipIf(!hasShared)('nothing but reads, whatever is asked', () => {
  const unanswered: string[] = []

  test.each(walks)('a walk of %s', { timeout: slow }, async (mesh) => {
    const { ended, started, invocations } = await watched(
      ['diagnose', ...callArgs(mesh), '--no-save', '-q', '-o', 'short'],
      mesh,
    )
    expect([0, 79, 80]).toContain(ended.code)
    expect(started.length).toBeGreaterThan(5)
    expectReadsOnly(started, invocations)
    unanswered.push(
      ...invocations.filter(({ exit }) => exit === 96).map(({ tool, argv }) => `${mesh}: ${tool} ${argv.join(' ')}`),
    )
  })

  test('every runbook, also for symptoms that no capture has', async () => {
    for (const symptom of ['400', '404', '413', '426', '429', '431', '500', '502', '504', 'timeout', 'slow'].filter(
      (one) => !bySymptom.has(one),
    )) {
      const mesh = '503-dr-disable-strict'
      const { started, invocations } = await watched(
        ['diagnose', symptom, ...callArgs(mesh).slice(1), '--no-save', '-q', '-o', 'short'],
        mesh,
      )
      expect(started.length).toBeGreaterThan(5)
      expectReadsOnly(started, invocations)
    }
  }, 60_000)

  test.each(
    [
      ['logs', 'deploy/web.shop'],
      ['trace', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080'],
      ['can-i', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', '--path', '/'],
      ['mtls', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080'],
      ['mtls', '-n', 'pay'],
      ['proxies'],
      ['lint'],
      ['lint', '-n', 'pay'],
      ['doctor'],
      ['doctor', '--commands'],
      ['rbac'],
      ['runbook', 'list'],
      ['sessions', 'list'],
      ['completion', 'bash'],
    ].map((args) => ({ line: args.join(' '), args })),
  )('$line', async ({ args }) => {
    const { ended, started, invocations } = await watched(args, '503-dr-disable-strict')
    expect(ended.code).not.toBe(1)
    expectReadsOnly(started, invocations)
  })

  test('--no-exec starts nothing that opens a way into a pod', async () => {
    const { started } = await watched(
      ['diagnose', ...callArgs('503-dr-disable-strict'), '--no-exec', '--no-save', '-q'],
      '503-dr-disable-strict',
    )
    for (const { file, args } of started) {
      expect(args[0]).not.toBe('exec')
      expect(`${file} ${args[0]}`).not.toBe('istioctl proxy-config')
    }
  })

  test('arguments that look like flags or other commands stay names, or are refused before anything starts', async () => {
    for (const to of ['svc/--kubeconfig.pay', 'svc/a;id.pay', 'pod/$(id).pay', 'svc/../../x.pay', '--as=root']) {
      const { ended, started } = await watched(
        ['diagnose', '503', '--to', to, '--no-save', '-q'],
        '503-dr-disable-strict',
      )
      expect(ended.code).toBe(64)
      expect(started).toEqual([])
    }
  })

  test('what the captures could not answer is what they do not hold, and no more', () => {
    // Bystanders' logs and a proxy's log level are not captured; everything that decides is.
    for (const question of unanswered)
      expect(question).toMatch(/kubectl logs |proxy-config log|get events|kubectl get|x describe|x authz/)
    if (unanswered.length > 0) console.info(`not captured:\n${[...new Set(unanswered)].join('\n')}`)
  })
})
