import { expect, test } from 'vitest'
import { addEvent, without } from '../helpers/edit-objects.ts'
import { play } from '../helpers/play.ts'
import { editJson, edits, forbid } from '../helpers/session-fixtures.ts'

const noSelected = /^kubectl get pods,services.* -n pay /

test('a selector that fits no pod is named with the labels it wants', async () => {
  const { state } = await play('503-no-endpoints')
  expect(state.diagnosis?.causes[0]?.title).toContain('selector app=orderz of Service pay/orders fits no pod')
})

test('pods that are not ready are told from a wrong selector', async () => {
  const { outcome } = await play('503-not-ready')
  expect(outcome('uh-no-endpoints')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
  const found = outcome('uh-no-endpoints')
  expect(found.status === 'fired' && found.hits[0]?.statement).toMatch(/2 pods, and none of them is ready/)
})

test('a Deployment that was scaled to 0 is named as such (changed: replicas, no pods)', async () => {
  const { outcome } = await play('503-not-ready', {
    edit: editJson(noSelected, (list) => ({
      ...list,
      items: list.items
        .filter((item: any) => item.kind !== 'Pod' || !item.metadata.labels?.app?.startsWith('ledger'))
        .map((item: any) => (item.kind === 'Deployment' ? { ...item, spec: { ...item.spec, replicas: 0 } } : item)),
    })),
  })
  const found = outcome('uh-no-endpoints')
  expect(found.status === 'fired' && found.hits[0]?.statement).toContain('is scaled to 0')
})

test('pods that cannot be created are no wrong selector: the Deployment would make them (changed: no pods, what istio-init asks is forbidden)', async () => {
  const gone = edits(
    without('Pod', /^ledger-/),
    addEvent(
      'pay',
      { kind: 'ReplicaSet', name: 'ledger-v1-54f6cb6d89' },
      {
        reason: 'FailedCreate',
        message:
          'Error creating: pods "ledger-v1-54f6cb6d89-x2k4p" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities (container "istio-init" must not include "NET_ADMIN", "NET_RAW" in securityContext.capabilities.add)',
      },
    ),
  )
  const { outcome, state } = await play('503-not-ready', { edit: gone })
  expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['istio-init-fails', 'uh-no-endpoints'])
  const found = outcome('uh-no-endpoints')
  expect(found.status === 'fired' && found.hits[0]?.statement).toMatch(/Deployment pay\/ledger-v\d, .* has no pod/)
  expect(found.status === 'fired' && found.hits[0]?.fix.statement).not.toContain('selector')
})

test('a targetPort that no container declares by name (changed: targetPort, pods ready)', async () => {
  const { outcome } = await play('503-not-ready', {
    edit: editJson(noSelected, (list) => ({
      ...list,
      items: list.items.map((item: any) =>
        item.kind === 'Service' && item.metadata.name === 'ledger'
          ? {
              ...item,
              spec: { ...item.spec, ports: item.spec.ports.map((port: any) => ({ ...port, targetPort: 'nowhere' })) },
            }
          : item.kind === 'Pod'
            ? {
                ...item,
                status: {
                  ...item.status,
                  conditions: item.status.conditions.map((one: any) => ({ ...one, status: 'True' })),
                },
              }
            : item,
      ),
    })),
  })
  const found = outcome('uh-no-endpoints')
  expect(found.status === 'fired' && found.hits[0]?.statement).toContain('targetPort nowhere')
})

test('without logs and proxies the Service still speaks, and only as a suspect', async () => {
  const { state, outcome } = await play('503-no-endpoints', {
    given: (given) => ({ ...given, noExec: true }),
    edit: edits(forbid(/^kubectl logs/)),
  })
  expect(outcome('uh-no-endpoints')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  expect(state.diagnosis?.verdict).toBe('suspects')
})

test('it is ruled out where lines give another reason, and quiet where everything passes', async () => {
  expect((await play('503-overflow')).outcome('uh-no-endpoints').status).toBe('ruled-out')
  expect((await play('healthy-strict')).outcome('uh-no-endpoints').status).not.toBe('fired')
})
