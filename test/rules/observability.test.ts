import { describe, expect, test } from 'vitest'
import { play } from '../helpers/play.ts'
import { editJson, edits, editText } from '../helpers/session-fixtures.ts'

const config = (namespace: string) => new RegExp(`get pods,.* -n ${namespace} `)

describe('accesslog-one-sided', () => {
  test('a destination without a proxy cannot log, and that is no cause', async () => {
    const { outcome, state } = await play('503-mutual-to-legacy')
    const found = outcome('accesslog-one-sided')
    expect(found.status === 'fired' && found.hits[0]?.about).toBe('aside')
    expect(state.diagnosis?.causes.map(({ code }) => code)).not.toContain('accesslog-one-sided')
  })
  test('is ruled out where both sides log', async () => {
    expect((await play('403-allow-list-miss')).outcome('accesslog-one-sided').status).toBe('ruled-out')
  })
})

describe('envoyfilter-silently-skipped', () => {
  const filter = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'headers', namespace: 'shop' },
    spec: {
      configPatches: [
        { applyTo: 'HTTP_FILTER', match: { context: 'SIDECAR_INBOUND' }, patch: { operation: 'INSERT_BEFORE' } },
      ],
    },
  }
  const added = editJson(config('shop'), (list) => ({ ...list, items: [...list.items, filter] }))
  const finding = editText(/analyze -n shop/, () =>
    JSON.stringify([
      {
        code: 'IST0151',
        level: 'Warning',
        message:
          'This EnvoyFilter does not have a priority and has a relative patch operation set which can cause the EnvoyFilter not to be applied.',
        origin: 'EnvoyFilter shop/headers',
      },
    ]),
  )
  test('a relative patch is likely where nothing else explains it (object and finding added)', async () => {
    const found = (await play('not-applied-gateway-only', { edit: edits(added, finding) })).outcome(
      'envoyfilter-silently-skipped',
    )
    expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('likely')
    expect((await play('not-applied-gateway-only')).outcome('envoyfilter-silently-skipped').status).toBe('quiet')
  })
})
