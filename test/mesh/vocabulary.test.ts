import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { explainText } from '../../src/mesh/explain.ts'
import { istCodes } from '../../src/mesh/ist-codes.ts'
import { readTlsErrorNumber } from '../../src/mesh/tls-errors.ts'
import { editDistance, entries, lookUp, nearest } from '../../src/mesh/vocabulary.ts'
import { Layer } from '../../src/model/layer.ts'
import { readJson, sharedFolder } from '../helpers/shared.ts'

describe('every entry', () => {
  test('has a layer of the note, a meaning, a next step and a misreading, as sentences', () => {
    for (const entry of entries) {
      expect(Layer.safeParse(entry.layer).success, `${entry.term}: layer ${entry.layer}`).toBe(true)
      for (const field of ['meaning', 'next', 'mistake'] as const)
        expect(entry[field].length, `${entry.kind} ${entry.term}: ${field}`).toBeGreaterThan(5)
      expect(entry.meaning, entry.term).toMatch(/[.)]$/)
    }
  })

  test('is reached by explaining its term and each of its aliases', () => {
    const lost: string[] = []
    for (const entry of entries)
      for (const term of [entry.term, ...entry.aliases]) {
        const sample = term.replaceAll('…', 'x')
        const explained = explainText(sample)
        const reached = explained.recognised.some((item) => item.entries.includes(entry))
        if (!reached || explained.layer === null || explained.answer === '') lost.push(`${entry.kind}: ${sample}`)
      }
    expect(lost).toEqual([])
  })

  test('has a term of its own within its kind', () => {
    const seen = new Set<string>()
    for (const entry of entries) {
      const key = `${entry.kind} ${entry.term}`
      expect(seen.has(key), key).toBe(false)
      seen.add(key)
    }
  })
})

test('spelling of blanks, underscores and case does not matter', () => {
  expect(lookUp('jwt_is_expired')[0]?.term).toBe('Jwt is expired')
  expect(lookUp('JWT IS EXPIRED')[0]?.term).toBe('Jwt is expired')
  expect(lookUp('uf')[0]?.term).toBe('UF')
  expect(lookUp('upstreamconnectionfailure')[0]?.term).toBe('UF')
})

test('the most specific pattern wins', () => {
  expect(lookUp('http1.codec_error')[0]?.term).toBe('http1.codec_error')
  expect(lookUp('http1.something_new')[0]?.term).toBe('http1.…')
  expect(lookUp('connection closed due to policy rejection: explicitly denied by: shop/no-batch')[0]?.layer).toBe(
    'authz',
  )
  expect(
    lookUp(
      'connection closed due to policy rejection: explicitly denied by: istio-system/istio_converted_static_strict',
    )[0]?.layer,
  ).toBe('transport-mtls')
})

test('nearest finds what was probably meant', () => {
  expect(nearest('no_healthy_upstraem')).toContain('no_healthy_upstream')
  expect(nearest('IST0011').length).toBeGreaterThan(0)
  expect(nearest('completely different words here')).toEqual([])
})

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', 'abd', 1],
  ['abc', 'ab', 1],
  ['kitten', 'sitting', 3],
  ['aaaaaaaa', 'bbbbbbbb', 4],
])('editDistance(%s, %s) within 3 is %d', (a, b, distance) => {
  expect(editDistance(a, b, 3)).toBe(distance)
})

test.each([
  [268435581, 125, 'CERTIFICATE_VERIFY_FAILED', null],
  [268435612, 156, 'HTTP_REQUEST', null],
  [268435648, 192, 'PEER_DID_NOT_RETURN_A_CERTIFICATE', null],
  [268435703, 247, 'WRONG_VERSION_NUMBER', null],
  [268436496, 1040, 'handshake_failure', 40],
  [268436498, 1042, 'bad_certificate', 42],
  [268436501, 1045, 'certificate_expired', 45],
  [268436502, 1046, 'certificate_unknown', 46],
  [268436504, 1048, 'unknown_ca', 48],
  [268436526, 1070, 'protocol_version', 70],
  [268436572, 1116, 'certificate_required', 116],
  [268436655, 1199, null, 199],
])('TLS error %d is reason %d, %s', (code, reason, name, alert) => {
  expect(readTlsErrorNumber(code)).toEqual({ code, library: 'SSL', reason, name, alert })
})

test('a number of another library keeps its library, and other numbers are none', () => {
  expect(readTlsErrorNumber(11 * 2 ** 24 + 5)).toMatchObject({ library: 'X509', reason: 5, alert: null })
  expect(readTlsErrorNumber(503)).toBeNull()
  expect(readTlsErrorNumber(16 * 2 ** 24)).toBeNull()
})

const codesFile = join(sharedFolder, 'facts/ist-codes.json')
test.skipIf(!existsSync(codesFile))('all analyzer codes of the facts are there, with name and level', () => {
  const facts = readJson(codesFile) as { code: string; name: string; level: string }[]
  expect(facts.length).toBeGreaterThanOrEqual(71)
  expect(istCodes.map(({ term, name, level }) => ({ code: term, name, level }))).toEqual(
    facts.map(({ code, name, level }) => ({ code, name, level })),
  )
})

const accessLogFacts = join(sharedFolder, 'facts/access-log.md')
test.skipIf(!existsSync(accessLogFacts))('every response flag and detail of the facts is known', async () => {
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(accessLogFacts, 'utf8')
  const flags = text.slice(text.indexOf('## 2.'), text.indexOf('## 3.'))
  const rows = [...flags.matchAll(/^\| ([A-Z]+) \| (\w+) \|/gm)]
  expect(rows).toHaveLength(30)
  for (const [, short = '', long = ''] of rows) {
    expect(lookUp(short, ['response-flag'])[0]?.aliases).toContain(long)
    expect(lookUp(long, ['response-flag'])[0]?.since, long).toBeDefined()
  }
  const details = text.slice(text.indexOf('## 3.'), text.indexOf('Reset reason → flag'))
  const terms = [...details.matchAll(/^\| (.+?) \|/gm)].flatMap((row) =>
    [...(row[1] ?? '').matchAll(/`([a-z0-9_.]+)(?:\{…?\}|\(<reason>\))?`/g)].map((match) => match[1] ?? ''),
  )
  expect(terms.length).toBeGreaterThan(45)
  const missing = terms.filter((term) => term.length > 3 && lookUp(term).length === 0)
  expect(missing).toEqual([])
})
