import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { IncidentNote, orderNote } from '../../src/model/note.ts'
import { noteProblems, readNote } from '../../src/model/note-read.ts'
import { noteJsonSchema } from '../../src/model/note-schema.ts'
import { causeNote, everyVerdict, hostileNote, inconclusiveNote } from './notes.ts'

const schemaFile = resolve(import.meta.dirname, '../../schemas/incident-note-1.0.schema.json')
const validate = new Ajv2020({ allErrors: true }).compile(noteJsonSchema())

describe('the schema of the note', () => {
  test('the shipped file is what the code says', () => {
    expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(noteJsonSchema())
  })

  test.each(everyVerdict.map((note) => [note.verdict, note] as const))('accepts a note with verdict %s', (_, note) => {
    expect(validate(JSON.parse(JSON.stringify(note))), JSON.stringify(validate.errors)).toBe(true)
    expect(IncidentNote.parse(note)).toEqual(note)
    expect(noteProblems(note)).toEqual([])
  })

  test('accepts fields of a later minor version, and reading keeps them', () => {
    const later = { ...structuredClone(causeNote), schemaVersion: '1.7', slo: { burned: 0.2 } } as any
    later.causes[0].confidence = 0.93
    expect(validate(later)).toBe(true)
    expect(readNote(JSON.stringify(later))).toEqual(later)
  })

  test('accepts a note without the fields that were added later', () => {
    const { $schema: _, otherFindings: __, session: ___, ...plain } = causeNote
    expect(validate(plain)).toBe(true)
    expect(readNote(JSON.stringify(plain))).toMatchObject({ otherFindings: [], session: null })
  })

  test.each([
    ['a verdict that does not exist', { verdict: 'probably' }],
    ['a local time', { startedAt: '2026-11-21T05:30:00+01:00' }],
    ['causes that are no list', { causes: null }],
    ['a layer that does not exist', { notChecked: [{ what: 'x', layer: 'moon', reason: 'y', unlock: 'z' }] }],
    ['another kind', { kind: 'Incident' }],
  ])('refuses %s', (_, change) => {
    const broken = { ...causeNote, ...change }
    expect(validate(broken)).toBe(false)
    expect(IncidentNote.safeParse(broken).success).toBe(false)
  })
})

describe('reading a note', () => {
  test.each([
    ['not JSON', 'Error from server (NotFound)', /is not JSON/],
    ['another document', '{"kind":"List"}', /no incident note/],
    ['a later major version', JSON.stringify({ ...causeNote, schemaVersion: '2.0' }), /schema version 2\.0/],
  ])('%s is the person’s mistake, with a hint', (_, text, message) => {
    try {
      readNote(text, 'note.json')
      expect.unreachable()
    } catch (error: any) {
      expect(error).toMatchObject({ name: 'UserError', kind: 'input' })
      expect(error.message).toMatch(message)
      expect(error.hint).toBeTruthy()
    }
  })

  test('key order is the schema’s, whatever order the fields were set in', () => {
    const shuffle = (value: any): any =>
      Array.isArray(value)
        ? value.map(shuffle)
        : value && typeof value === 'object'
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, entry]) => [key, shuffle(entry)]),
            )
          : value
    expect(JSON.stringify(orderNote(shuffle(hostileNote())))).toBe(JSON.stringify(orderNote(hostileNote())))
    expect(Object.keys(orderNote(shuffle(causeNote))).slice(0, 4)).toEqual(['$schema', 'kind', 'schemaVersion', 'id'])
  })
})

describe('the honesty of a note', () => {
  test.each([
    ['a cause without evidence', { causes: [{ ...causeNote.causes[0]!, supporting: [] }] }, /points at no evidence/],
    [
      'an id that leads nowhere',
      { causes: [{ ...causeNote.causes[0]!, supporting: ['E99'] }] },
      /E99, which does not exist/,
    ],
    [
      'a proof that was not read',
      { causes: [{ ...causeNote.causes[0]!, supporting: ['E7'] }] },
      /called proven by evidence that is missing/,
    ],
    ['a verdict without cause', { causes: [] }, /none is named/],
  ])('%s is a problem', (_, change, message) => {
    expect(noteProblems({ ...causeNote, ...change }).join('\n')).toMatch(message)
  })

  test('inconclusive must say what could not be looked at', () => {
    expect(noteProblems({ ...inconclusiveNote, notChecked: [] })).toHaveLength(1)
  })
})
