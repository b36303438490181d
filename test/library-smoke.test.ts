import { expect, test } from 'vitest'
import { findRunbooks } from '../src/library/find-runbooks.ts'
import { evidenceKeys } from '../src/probes/index.ts'

test('all built-in runbooks pass the checks that a user file must pass', () => {
  expect(findRunbooks({ evidenceKeys, ruleCodes: new Set() }, null).length).toBeGreaterThanOrEqual(13)
})
