import { expect, test } from 'vitest'
import { play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText } from '../helpers/session-fixtures.ts'

const config = /get pods,.* -n pay /
const without = (kind: string): Edit =>
  editJson(config, (list) => ({ ...list, items: list.items.filter((item: any) => item.kind !== kind) }))

test('a Service that only another cluster has (Service taken away, finding added)', async () => {
  const edit = edits(
    without('Service'),
    editJson(/analyze -n pay/, () => [
      {
        code: 'IST0170',
        level: 'Warning',
        message: 'The Service orders is inconsistent across clusters "a","b": services don\'t exist in cluster a',
        origin: 'Service pay/orders',
      },
    ]),
  )
  const found = (await play('503-no-endpoints', { edit })).outcome('mc-service-missing-locally')
  expect(found.status === 'fired' && found.hits[0]?.title).toContain('orders')
  expect((await play('503-no-endpoints')).outcome('mc-service-missing-locally').status).toBe('ruled-out')
})

test('a remote cluster that istiod cannot read is only possible (line of istiod written in)', async () => {
  const line = '2026-11-21T06:00:00.000000Z\terror\tmulticluster\tremote cluster b failed to sync: timed out\n'
  const edit = editText(/logs istiod/, (text) => text + line)
  const given = (one: any) => ({ ...one, symptom: 'not-applied' as const })
  const found = (await play('503-no-endpoints', { edit: edits(without('Pod'), edit), given })).outcome(
    'mc-remote-secret',
  )
  expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('possible')
  // Where the log of istiod is not collected the rule has nothing to say, and is not blind either.
  expect((await play('503-no-endpoints', { edit })).outcome('mc-remote-secret').status).toBe('quiet')
  expect((await play('ambient-allowed', { edit, given })).outcome('mc-remote-secret').status).toBe('quiet')
})
