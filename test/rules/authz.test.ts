import { expect, test } from 'vitest'
import { play } from '../helpers/play.ts'

test('authz-deny-rule-matched names the policy and the rule that the proxy logged', async () => {
  const { state, outcome } = await play('403-deny-beats-allow')
  expect(outcome('authz-deny-rule-matched').status).toBe('fired')
  expect(state.diagnosis?.verdict).toBe('cause')
  expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['authz-deny-rule-matched'])
  expect(state.diagnosis?.summary).toContain('pay/deny-admin')
})

test('authz-deny-rule-matched is ruled out when no policy is named', async () => {
  const { outcome } = await play('403-allow-list-miss')
  expect(outcome('authz-deny-rule-matched').status).toBe('ruled-out')
})
