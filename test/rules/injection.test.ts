import { describe, expect, test } from 'vitest'
import { add, change, notReady, statusOf, without } from '../helpers/edit-objects.ts'
import { type Played, play } from '../helpers/play.ts'
import { edits, editText, forbid } from '../helpers/session-fixtures.ts'

const codes = ({ state }: Played) => state.diagnosis?.causes.map(({ code }) => code) ?? []
const certainty = ({ state }: Played, code: string) =>
  state.diagnosis?.causes.find((cause) => cause.code === code)?.certainty
const strict = 'strict-plaintext-client'

describe('a pod without a sidecar', () => {
  test('labels and webhook would inject a new one: it predates them', async () => {
    const played = await play('not-injected')
    expect(codes(played)).toEqual(['pod-predates-injection', strict])
    expect(played.state.diagnosis?.causes[0]?.fix.commands.join()).toContain('rollout restart deployment late')
  })

  test('without the webhooks and analyze it is only likely', async () => {
    const played = await play('not-injected', { edit: forbid(/mutatingwebhook|analyze/) })
    const outcome = played.outcome('pod-predates-injection')
    expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('likely')
  })

  test('a namespace without label', async () => {
    const played = await play('not-injected', {
      edit: change('Namespace', /^shop$/, (namespace) => {
        delete namespace.metadata.labels['istio-injection']
      }),
    })
    expect(codes(played)).toEqual(['namespace-not-labelled', strict])
    expect(played.outcome('pod-predates-injection').status).toBe('ruled-out')
  })

  test('a namespace that is switched off', async () => {
    const played = await play('not-injected', {
      edit: change('Namespace', /^shop$/, (namespace) => {
        namespace.metadata.labels['istio-injection'] = 'disabled'
      }),
    })
    expect(codes(played)).toEqual(['namespace-not-labelled', strict])
  })

  test('an opt-out as label, as annotation, and by hostNetwork', async () => {
    const ways: ((pod: any) => void)[] = [
      (pod) => {
        pod.metadata.labels['sidecar.istio.io/inject'] = 'false'
      },
      (pod) => {
        pod.metadata.annotations = { 'sidecar.istio.io/inject': 'no' }
      },
      (pod) => {
        pod.spec.hostNetwork = true
      },
    ]
    for (const way of ways) {
      const played = await play('not-injected', { edit: change('Pod', /^late-/, way) })
      expect(codes(played)).toEqual(['opt-out-or-hostnetwork', strict])
    }
  })

  test('two labels that contradict each other, and no default revision', async () => {
    const played = await play('not-injected', {
      edit: edits(
        change('Namespace', /^shop$/, (namespace) => {
          namespace.metadata.labels['istio.io/rev'] = 'canary'
        }),
        change('MutatingWebhookConfiguration', /./, (configuration) => {
          configuration.webhooks = configuration.webhooks.filter(({ name }: any) => name.startsWith('rev.'))
          for (const webhook of configuration.webhooks)
            for (const selector of [webhook.namespaceSelector, webhook.objectSelector])
              for (const expression of selector.matchExpressions)
                if (expression.key === 'istio.io/rev' && expression.operator === 'In') expression.values = ['canary']
        }),
      ),
    })
    expect(codes(played)).toEqual(['injection-label-conflict', strict])
    expect(certainty(played, 'injection-label-conflict')).toBe('proven')
  })

  test('a revision that no webhook serves', async () => {
    const played = await play('not-injected', {
      edit: change('Namespace', /^shop$/, (namespace) => {
        namespace.metadata.labels = { 'istio.io/rev': '1-19-0' }
      }),
    })
    expect(codes(played).sort()).toEqual(['revision-removed', strict])
  })

  test('an ambient namespace owes nobody a sidecar', async () => {
    const played = await play('not-injected', {
      edit: change('Namespace', /^shop$/, (namespace) => {
        namespace.metadata.labels = { 'istio.io/dataplane-mode': 'ambient' }
      }),
    })
    for (const code of ['namespace-not-labelled', 'pod-predates-injection', 'opt-out-or-hostnetwork'])
      expect(played.outcome(code).status).not.toBe('fired')
  })

  test('a native sidecar is one', async () => {
    const played = await play('not-injected', {
      edit: change('Pod', /^late-/, (pod) => {
        pod.spec.initContainers = [{ name: 'istio-proxy', restartPolicy: 'Always', args: ['proxy', 'sidecar'] }]
      }),
    })
    expect(played.outcome('native-sidecar-misread').status).toBe('fired')
    expect(played.outcome('pod-predates-injection').status).toBe('quiet')
    expect((await play('not-injected')).outcome('native-sidecar-misread').status).toBe('quiet')
  })

  test('of a call that passes, it is no cause', async () => {
    const played = await play('permissive-migration')
    expect(codes(played)).toEqual([])
    expect(played.state.diagnosis?.otherFindings.map(({ code }) => code)).toContain('opt-out-or-hostnetwork')
  })
})

describe('pods that do not start', () => {
  test('istio-init fails', async () => {
    const edit = change('Pod', /^ledger-/, (pod) => {
      notReady(pod)
      const status = statusOf(pod, 'istio-init')
      status.restartCount = 5
      status.state = { waiting: { reason: 'CrashLoopBackOff' } }
      status.lastState = { terminated: { exitCode: 255, reason: 'Error', finishedAt: '2026-11-21T05:40:00Z' } }
    })
    const outcome = (await play('503-not-ready', { edit })).outcome('istio-init-fails')
    expect(outcome.status === 'fired' && outcome.hits[0]?.statement).toContain('exit code 255')
    expect((await play('503-not-ready')).outcome('istio-init-fails').status).toBe('quiet')
  })

  test('istio-validation ends with 126', async () => {
    const edit = change('Pod', /^ledger-/, (pod) => {
      notReady(pod)
      pod.spec.initContainers = [{ name: 'istio-validation' }]
      statusOf(pod, 'istio-validation').state = { terminated: { exitCode: 126, reason: 'Error' } }
    })
    const outcome = (await play('503-not-ready', { edit })).outcome('cni-race-validation')
    expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('proven')
    expect((await play('503-not-ready')).outcome('cni-race-validation').status).toBe('quiet')
  })
})

test('uid-1337: the application bypasses its proxy', async () => {
  const edit = edits(
    change('Pod', /^web-/, (pod) => {
      pod.spec.containers[0].securityContext = { runAsUser: 1337 }
    }),
    without('DestinationRule'),
    editText(/^kubectl logs web/, () => ''),
  )
  const played = await play('503-dr-disable-strict', { edit, given: (given) => ({ ...given, symptom: 'reset' }) })
  const outcome = played.outcome('uid-1337')
  expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('proven')
  expect((await play('503-dr-disable-strict')).outcome('uid-1337').status).toBe('quiet')
})

test('an object for another revision is passed over', async () => {
  const edit = add({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'green', namespace: 'pay', labels: { 'istio.io/rev': '1-29-0' } },
    spec: { hosts: ['ledger'], http: [{ route: [{ destination: { host: 'ledger' } }] }] },
  })
  const outcome = (await play('not-applied-gateway-only', { edit })).outcome('revision-or-discovery-filtered')
  expect(outcome.status === 'fired' && outcome.hits[0]?.title).toContain(
    'VirtualService pay/green is for revision 1-29-0',
  )
  expect((await play('not-applied-gateway-only')).outcome('revision-or-discovery-filtered').status).toBe('quiet')
})
