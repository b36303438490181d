import { describe, expect, test } from 'vitest'
import type { Hit } from '../../src/model/finding.ts'
import { add, addEvent, change, notReady, statusOf } from '../helpers/edit-objects.ts'
import { type Played, play } from '../helpers/play.ts'
import { edits, editText } from '../helpers/session-fixtures.ts'

const codes = ({ state }: Played) => state.diagnosis?.causes.map(({ code }) => code) ?? []
function hitOf(played: Played, code: string): Hit | undefined {
  const outcome = played.outcome(code)
  return outcome.status === 'fired' ? outcome.hits[0] : undefined
}

describe('uc-pod-shutdown', () => {
  test('all cut connections went to a pod that is being deleted', async () => {
    const edit = edits(
      change('Pod', /^ledger-/, (pod) => {
        pod.metadata.deletionTimestamp = '2026-11-21T05:29:00Z'
      }),
      change('DestinationRule', /./, (rule) => {
        rule.spec.trafficPolicy = {}
      }),
      editText(/^kubectl logs ledger/, () => ''),
    )
    const played = await play('503-dr-disable-strict', { edit })
    expect(codes(played)).toEqual(['uc-pod-shutdown'])
    expect(hitOf(played, 'uc-pod-shutdown')?.certainty).toBe('proven')
  })

  test('errors at pods that stay are something else', async () => {
    expect((await play('503-app-resets')).outcome('uc-pod-shutdown').status).toBe('quiet')
  })
})

describe('proxy-oom', () => {
  const killed = (time: string) =>
    change('Pod', /^ledger-v1-/, (pod) => {
      const status = statusOf(pod, 'istio-proxy')
      status.restartCount = 4
      status.lastState = { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: time } }
    })

  test('at the moment of a failing request it is the cause', async () => {
    const hit = hitOf(await play('503-app-resets', { edit: killed('2020-01-01T00:00:00Z') }), 'proxy-oom')
    expect(hit?.about).toBe('aside')
    const played = await play('503-app-resets')
    expect(played.outcome('proxy-oom').status).toBe('quiet')
    const line = played.situation.failing.find(({ client }) =>
      played.situation.podByIp(client?.record.upstreamHost?.replace(/:\d+$/, '') ?? null)?.name.startsWith('ledger-v1'),
    )
    const then = hitOf(await play('503-app-resets', { edit: killed(line?.time ?? '') }), 'proxy-oom')
    expect(then?.about).toBe('call')
    expect(then?.certainty).toBe('proven')
  })
})

test('job-never-completes: the work is done and the sidecar runs on', async () => {
  const edit = change('Pod', /^cart-/, (pod) => {
    pod.metadata.ownerReferences = [{ kind: 'Job', name: 'cart', controller: true }]
    statusOf(pod, 'app').state = { terminated: { reason: 'Completed', exitCode: 0 } }
  })
  const name = '403-allow-list-miss'
  const of = (kind: string) => (given: any) => ({ ...given, from: { ...given.from, kind } })
  const hit = hitOf(await play(name, { edit, given: of('job') }), 'job-never-completes')
  expect(hit?.certainty).toBe('proven')
  expect(hit?.about).toBe('aside')
  expect((await play(name)).outcome('job-never-completes').status).toBe('quiet')
  // Nobody named a symptom and nothing fails: then it is the answer.
  const asked = await play('not-applied-gateway-only', {
    edit: change('Pod', /^web-/, (pod) => {
      pod.metadata.ownerReferences = [{ kind: 'Job', name: 'web', controller: true }]
      statusOf(pod, 'app').state = { terminated: { reason: 'Completed', exitCode: 0 } }
    }),
    given: (given) => ({ ...of('job')(given), symptom: 'unknown' }),
  })
  expect(asked.state.diagnosis?.causes.map(({ code }) => code)).toEqual(['job-never-completes'])
})

test('app-before-proxy: it ended before its proxy was ready', async () => {
  const edit = edits(
    change('Pod', /^web-/, (pod) => {
      const status = statusOf(pod, 'app')
      status.restartCount = 1
      status.lastState = { terminated: { exitCode: 1, reason: 'Error', finishedAt: '2026-11-21T05:15:50Z' } }
    }),
    editText(/^kubectl logs web/, (log) => `2026-11-21T05:15:52.000000Z\tinfo\tEnvoy proxy is ready\n${log}`),
  )
  const hit = hitOf(await play('503-app-resets', { edit }), 'app-before-proxy')
  expect(hit?.certainty).toBe('likely')
  expect(hit?.statement).toContain('2 s before')
  expect((await play('503-app-resets')).outcome('app-before-proxy').status).toBe('quiet')
})

test('proxy-exits-first: the proxy is gone and the application runs', async () => {
  const edit = change('Pod', /^web-/, (pod) => {
    statusOf(pod, 'istio-proxy').state = { terminated: { exitCode: 0, finishedAt: '2026-11-21T05:40:00Z' } }
    statusOf(pod, 'app').state = { running: { startedAt: '2026-11-21T05:15:00Z' } }
  })
  expect(hitOf(await play('503-app-resets', { edit }), 'proxy-exits-first')?.certainty).toBe('proven')
  expect((await play('503-app-resets')).outcome('proxy-exits-first').status).toBe('quiet')
})

test('proxy-cpu-latency: the application’s part is small', async () => {
  const edit = editText(/^kubectl logs ledger/, (log) =>
    log.replace(/ "-" (\d+) (\d+) (\d+) (\d+) "-"/g, ' "-" $1 $2 2400 3 "-"'),
  )
  const played = await play('healthy-strict', { edit, given: (given) => ({ ...given, symptom: 'slow' }) })
  expect(hitOf(played, 'proxy-cpu-latency')?.certainty).toBe('possible')
  expect(
    (await play('healthy-strict', { given: (given) => ({ ...given, symptom: 'slow' }) })).outcome('proxy-cpu-latency')
      .status,
  ).toBe('quiet')
})

describe('probes', () => {
  const probe = (message: string) => addEvent('pay', { kind: 'Pod', name: 'LEDGER' }, { reason: 'Unhealthy', message })
  async function podName(): Promise<string> {
    const { situation } = await play('503-not-ready')
    return situation.server.pods.find(({ ready }) => !ready)?.name ?? ''
  }

  test('probe-strict-reset: STRICT resets a probe that was not rewritten', async () => {
    const name = await podName()
    const edit = edits(
      change('Pod', new RegExp(`^${name}$`), (pod) => {
        const app = pod.spec.containers.find((container: any) => container.name !== 'istio-proxy')
        app.readinessProbe = { httpGet: { path: '/ready', port: 8080 } }
      }),
      add({
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: 'all', namespace: 'pay', creationTimestamp: '2026-11-21T05:00:00Z' },
        spec: { mtls: { mode: 'STRICT' } },
      }),
      addEvent(
        'pay',
        { kind: 'Pod', name },
        {
          reason: 'Unhealthy',
          message:
            'Readiness probe failed: Get "http://10.244.200.20:8080/ready": read tcp 10.244.0.1:4->10.244.200.20:8080: read: connection reset by peer',
        },
      ),
    )
    const hit = hitOf(await play('503-not-ready', { edit }), 'probe-strict-reset')
    expect(hit?.certainty).toBe('proven')
    expect(
      (await play('503-not-ready', { edit: probe('Readiness probe failed: connection refused') })).outcome(
        'probe-strict-reset',
      ).status,
    ).toBe('quiet')
  })

  test('probe-rewrite-500: the application behind the agent', async () => {
    const name = await podName()
    const edit = edits(
      change('Pod', new RegExp(`^${name}$`), (pod) => {
        const app = pod.spec.containers.find((container: any) => container.name !== 'istio-proxy')
        app.readinessProbe = { httpGet: { path: '/app-health/app/readyz', port: 15020 } }
      }),
      addEvent(
        'pay',
        { kind: 'Pod', name },
        { reason: 'Unhealthy', message: 'Readiness probe failed: HTTP probe failed with statuscode: 500' },
      ),
    )
    expect(hitOf(await play('503-not-ready', { edit }), 'probe-rewrite-500')?.certainty).toBe('likely')
    expect((await play('healthy-strict')).outcome('probe-rewrite-500').status).toBe('quiet')
  })

  test('proxy-readiness-fails: no configuration yet', async () => {
    const name = await podName()
    const edit = edits(
      change('Pod', new RegExp(`^${name}$`), (pod) => {
        notReady(pod)
        statusOf(pod, 'istio-proxy').ready = false
      }),
      editText(
        new RegExp(`^kubectl logs ${name}`),
        (log) =>
          `${log}2026-11-21T05:40:00.000000Z\twarn\tEnvoy proxy is NOT ready: config not received from XDS server (is Istiod running?): cds updates: 0 successful, 0 rejected\n`,
      ),
    )
    expect(hitOf(await play('503-not-ready', { edit }), 'proxy-readiness-fails')?.certainty).toBe('proven')
    expect((await play('503-not-ready')).outcome('proxy-readiness-fails').status).toBe('quiet')
  })
})

test('init-container-network: it fails between the redirection and the proxy', async () => {
  const stuck = (native: boolean) =>
    change('Pod', /^cart-/, (pod) => {
      const init = { name: 'migrate', image: 'example/migrate' }
      pod.spec.initContainers = [...pod.spec.initContainers, init]
      if (native) {
        const proxy = pod.spec.containers.find(({ name }: any) => name === 'istio-proxy')
        pod.spec.containers = pod.spec.containers.filter((one: any) => one !== proxy)
        pod.spec.initContainers = [pod.spec.initContainers[0], { ...proxy, restartPolicy: 'Always' }, init]
      }
      statusOf(pod, 'istio-init').state = { terminated: { exitCode: 0, reason: 'Completed' } }
      statusOf(pod, 'migrate').lastState = { terminated: { exitCode: 1, reason: 'Error' } }
      notReady(pod)
    })
  const given = (before: any) => ({ ...before, symptom: 'not-injected' as const })
  const hit = hitOf(await play('403-allow-list-miss', { edit: stuck(false), given }), 'init-container-network')
  expect(hit?.certainty).toBe('likely')
  expect(hit?.wouldDecide?.command).toContain('-c migrate')
  const native = await play('403-allow-list-miss', { edit: stuck(true), given })
  expect(native.outcome('init-container-network').status).toBe('quiet')
})
