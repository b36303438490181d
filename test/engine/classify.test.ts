import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { classify } from '../../src/engine/classify.ts'
import { failureTexts } from '../../src/engine/failure-texts.ts'
import { createLive } from '../../src/exec/live.ts'
import type { Command, CommandResult, Exit } from '../../src/model/command.ts'
import { MissingReason } from '../../src/model/missing.ts'
import { captures, hasShared, meshesFolder, readJson, sharedFolder } from '../helpers/shared.ts'

const kubectl = (...args: string[]): Command => ({ file: 'kubectl', args, timeoutMs: 5000 })
const istioctl = (...args: string[]): Command => ({ file: 'istioctl', args, timeoutMs: 5000 })
const ended = (exit: Exit, stderr = '', stdout = ''): CommandResult => ({ exit, stdout, stderr, durationMs: 1 })
const failed = (stderr: string, stdout = '') => ended({ kind: 'exited', code: 1 }, stderr, stdout)

describe('each text means one thing', () => {
  test.each(failureTexts.map((entry) => [entry.sample, entry] as const))('%s', (sample, entry) => {
    expect(failureTexts.filter(({ pattern }) => pattern.test(sample))).toEqual([entry])
    const tool = entry.tool === 'istioctl' ? istioctl('proxy-status') : kubectl('get', 'pods')
    expect(classify(failed(`${sample}\n`), tool)).toMatchObject({ reason: entry.reason })
    expect(MissingReason.options).toContain(entry.reason)
  })
})

describe('how it ended comes first, then the exit code, then the text', () => {
  const forbidden =
    'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "shop"'

  test.each(['tool-missing', 'timed-out', 'canceled', 'too-big', 'not-recorded', 'refused'] as const)('%s', (kind) => {
    const answer = classify(ended({ kind }, forbidden), kubectl('get', 'pods'))
    expect(answer.reason).toBe(kind)
    expect(answer.detail).toMatch(/\S/)
    expect(answer.detail).not.toContain('\n')
  })

  test('istioctl’s code for wrong usage', () => {
    expect(classify(ended({ kind: 'exited', code: 64 }, 'Error: something new\n'), istioctl('x', 'y')).reason).toBe(
      'unsupported',
    )
    expect(classify(ended({ kind: 'exited', code: 64 }, 'Error: something new\n'), kubectl('x')).reason).toBe('other')
  })

  test('an unknown text is kept', () => {
    expect(classify(failed('error: the moon is full\n'), kubectl('get', 'pods'))).toEqual({
      reason: 'other',
      detail: 'the moon is full',
    })
    expect(classify(failed(''), kubectl('get', 'pods'))).toEqual({
      reason: 'other',
      detail: 'exit code 1, and not a word',
    })
    expect(classify(failed(`error: ${'x'.repeat(5000)}`), kubectl('get')).detail.length).toBeLessThan(500)
  })

  test('success without an answer', () => {
    expect(classify(ended({ kind: 'exited', code: 0 }), kubectl('get', 'pods')).reason).toBe('empty')
    expect(
      classify(ended({ kind: 'exited', code: 0 }, 'namespace "shop" not found\n'), istioctl('analyze')).reason,
    ).toBe('not-found')
    expect(
      classify(ended({ kind: 'exited', code: 0 }, '', 'Updates are available'), kubectl('get', 'pods')).reason,
    ).toBe('unreadable')
  })
})

describe('what would unlock it', () => {
  test.each([
    [
      'pods "web-1" is forbidden: User "dev" cannot create resource "pods/portforward" in API group "" in the namespace "shop"',
      'kubectl auth can-i create pods --subresource=portforward -n shop',
    ],
    [
      'secrets is forbidden: User "dev" cannot list resource "secrets" in API group "" at the cluster scope',
      'kubectl auth can-i list secrets --all-namespaces',
    ],
    [
      'virtualservices.networking.istio.io is forbidden: User "dev" cannot list resource "virtualservices" in API group "networking.istio.io" in the namespace "shop"',
      'kubectl auth can-i list virtualservices.networking.istio.io -n shop',
    ],
  ])('%s', (text, unlock) => {
    expect(classify(failed(`Error from server (Forbidden): ${text}\n`), kubectl('get', 'x')).unlock).toBe(unlock)
  })

  test('a command that hangs for want of a permission names the permission', () => {
    expect(classify(ended({ kind: 'timed-out' }), istioctl('proxy-status')).unlock).toBe(
      'kubectl auth can-i list mutatingwebhookconfigurations',
    )
  })
})

test('the cause that is only in the log is found, and wins over nothing else', () => {
  const log =
    '2026-01-02T03:04:05.000000Z\terror\tport forward failed: error upgrading connection: pods "web-1" is forbidden: User "dev" cannot create resource "pods/portforward" in API group "" in the namespace "shop"'
  expect(
    classify(
      failed(`${log}\nError: failed to get config dump from pod web-1 in shop\n`),
      istioctl('x', 'authz', 'check', 'web-1.shop'),
    ),
  ).toMatchObject({ reason: 'port-forward-denied' })
  expect(
    classify(
      failed('Error: failed to get config dump from pod web-1 in shop\n'),
      istioctl('x', 'authz', 'check', 'web-1.shop'),
    ),
  ).toMatchObject({ reason: 'other', detail: 'failed to get config dump from pod web-1 in shop' })
  expect(
    classify(
      failed(
        'E0101 memcache.go:265] dial tcp 10.0.0.1:6443: connect: connection refused\nThe connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?\n',
      ),
      kubectl('get', 'pods'),
    ).detail,
  ).toMatch(/^The connection/)
})

describe.skipIf(!hasShared)('what recorded meshes print under faults', () => {
  if (!hasShared) {
    // The body of a skipped block is still run, and without captures there is none to choose.
    test('needs the captures', () => {})
    return
  }
  const capture = captures.find(
    (name) =>
      existsSync(join(meshesFolder, name, 'istioctl/1.30')) &&
      readJson(join(meshesFolder, name, 'objects/namespaces.json')).items.some(
        (item: any) => item.metadata.labels?.['istio-injection'] === 'enabled',
      ),
  )!
  const pod = readJson(join(meshesFolder, capture, 'objects/pods.json')).items.find(
    (item: any) =>
      [...item.spec.containers, ...(item.spec.initContainers ?? [])].some((one: any) => one.name === 'istio-proxy') &&
      item.spec.containers.length + (item.spec.initContainers ?? []).length > 1,
  )
  const { name, namespace } = pod.metadata
  const never = new AbortController().signal

  async function reasonOf(command: Command, faults: Record<string, string>) {
    const env = {
      ...process.env,
      PATH: `${join(sharedFolder, 'meshbed/bin')}${delimiter}${process.env.PATH}`,
      MESHBED: join(meshesFolder, capture),
      ...faults,
    }
    const { run } = createLive({ env, killGraceMs: 200 })
    return classify(await run(command, never), command)
  }
  const pc = istioctl('proxy-config', 'cluster', `${name}.${namespace}`, '-o', 'json')
  const ps = istioctl('proxy-status', '--revision', 'default')
  const get = kubectl('get', 'pods', '-n', namespace, '-o', 'json')
  const exec = kubectl(
    'exec',
    name,
    '-n',
    namespace,
    '-c',
    'istio-proxy',
    '--',
    'pilot-agent',
    'request',
    'GET',
    'stats',
  )

  test.each<[string, Command, Record<string, string>, MissingReason, string?]>([
    ['no list', get, { MESHBED_FORBID: 'pods' }, 'forbidden', `kubectl auth can-i list pods -n ${namespace}`],
    [
      'another namespace only',
      get,
      { MESHBED_ONLY_NS: 'elsewhere' },
      'forbidden',
      `kubectl auth can-i list pods -n ${namespace}`,
    ],
    [
      'no logs',
      kubectl('logs', name, '-n', namespace, '-c', 'istio-proxy'),
      { MESHBED_FORBID: 'pods/log' },
      'forbidden',
      `kubectl auth can-i get pods --subresource=log -n ${namespace}`,
    ],
    [
      'no exec',
      exec,
      { MESHBED_FORBID: 'pods/exec' },
      'exec-denied',
      `kubectl auth can-i create pods --subresource=exec -n ${namespace}`,
    ],
    [
      'no port-forward',
      pc,
      { MESHBED_FORBID_PORTFORWARD: '1' },
      'port-forward-denied',
      `kubectl auth can-i create pods --subresource=portforward -n ${namespace}`,
    ],
    [
      'no port-forward, cause swallowed',
      istioctl('x', 'authz', 'check', `${name}.${namespace}`),
      { MESHBED_FORBID_PORTFORWARD: '1' },
      'port-forward-denied',
    ],
    ['no port-forward to istiod', ps, { MESHBED_FORBID_PORTFORWARD: '1' }, 'port-forward-denied'],
    [
      'no pods for istioctl',
      pc,
      { MESHBED_FORBID: 'pods' },
      'forbidden',
      `kubectl auth can-i get pods -n ${namespace}`,
    ],
    ['no token', ps, { MESHBED_FORBID: 'serviceaccounts/token' }, 'forbidden'],
    ['no namespaces', istioctl('analyze', '-n', namespace), { MESHBED_FORBID: 'namespaces' }, 'forbidden'],
    [
      'istiod gone',
      ps,
      { MESHBED_DROP: 'pods:istio-system/istiod-*' },
      'no-istiod',
      'kubectl get pods -n istio-system -l app=istiod',
    ],
    ['server down: get', get, { MESHBED_DOWN: '1' }, 'unreachable'],
    ['server down: proxy-config', pc, { MESHBED_DOWN: '1' }, 'unreachable'],
    ['server down: proxy-status', ps, { MESHBED_DOWN: '1' }, 'unreachable'],
    ['server down: analyze', istioctl('analyze', '-n', namespace), { MESHBED_DOWN: '1' }, 'unreachable'],
    ['server down: exec', exec, { MESHBED_DOWN: '1' }, 'unreachable'],
    ['no such pod: proxy-config', istioctl('proxy-config', 'cluster', `nobody.${namespace}`), {}, 'not-found'],
    ['no such pod: get', kubectl('get', 'pod', 'nobody', '-n', namespace, '-o', 'json'), {}, 'not-found'],
    ['no such pod: logs', kubectl('logs', 'nobody', '-n', namespace), {}, 'not-found'],
    ['no such workload', istioctl('proxy-config', 'cluster', `deploy/nobody.${namespace}`), {}, 'not-found'],
    ['no such container', kubectl('logs', name, '-n', namespace, '-c', 'nope'), {}, 'no-container'],
    ['no such kind', kubectl('get', 'unheardofs', '-o', 'json'), {}, 'unsupported'],
    ['nonsense', get, { MESHBED_GARBAGE: 'kubectl get' }, 'unreadable'],
    ['a hanging command', { ...get, timeoutMs: 800 }, { MESHBED_HANG: 'kubectl get!' }, 'timed-out'],
  ])('%s', async (_, command, faults, reason, unlock) => {
    const answer = await reasonOf(command, faults)
    expect(answer).toMatchObject({ reason, ...(unlock && { unlock }) })
    expect(answer.detail).not.toContain('\n')
  })

  test('every failure that was ever recorded of istioctl has a reason', () => {
    const unknown = new Set<string>()
    for (const mesh of captures) {
      for (const version of Object.keys(readJson(join(meshesFolder, mesh, 'mesh.json')).istioctl)) {
        const answers: Record<string, { exit?: number; stderr?: string; stdout?: string; hangs?: boolean }> = readJson(
          join(meshesFolder, mesh, 'istioctl', version, 'answers.json'),
        )
        for (const [question, { exit = 0, stderr = '', stdout = '', hangs }] of Object.entries(answers)) {
          if (hangs || exit === 0 || exit === 79) continue
          const { reason, detail } = classify(
            ended({ kind: 'exited', code: exit }, stderr, stdout),
            istioctl(...question.split(' ')),
          )
          if (reason === 'other' && !/failed to get config dump from pod/.test(detail)) unknown.add(detail)
        }
      }
    }
    expect([...unknown]).toEqual([])
  })
})
