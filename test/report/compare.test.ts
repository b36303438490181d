import { describe, expect, test } from 'vitest'
import type { Note } from '../../src/model/note.ts'
import { compareNotes, comparisonText } from '../../src/report/compare.ts'
import { causeNote, cleanNote, hostileNote, inconclusiveNote, suspectsNote } from './notes.ts'

const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code)

describe('two notes of one call', () => {
  test('a note and itself: all unchanged', () => {
    const comparison = compareNotes(causeNote, causeNote)
    expect(codes(comparison.unchanged)).toEqual(['dr-disable-vs-strict', 'IST0101'])
    expect([comparison.introduced, comparison.fixed, comparison.notLookedAt]).toEqual([[], [], []])
    expect(comparison.sameCall).toBe(true)
  })

  test('after a clean walk the cause is fixed', () => {
    const comparison = compareNotes(causeNote, cleanNote)
    expect(codes(comparison.fixed)).toEqual(['dr-disable-vs-strict', 'IST0101'])
    expect(comparison.answeredBy).toEqual({ before: 'client-proxy', after: 'app' })
  })

  test('where the later walk could not look, nothing is called fixed', () => {
    const blind: Note = { ...inconclusiveNote, steps: [], otherFindings: [] }
    const comparison = compareNotes(causeNote, blind)
    expect(comparison.fixed).toEqual([])
    expect(codes(comparison.notLookedAt)).toEqual(['dr-disable-vs-strict', 'IST0101'])
    expect(comparisonText(comparison)).toContain('perhaps still there')
  })

  test('other suspects are introduced, and the old cause was looked for', () => {
    const comparison = compareNotes(causeNote, suspectsNote)
    expect(codes(comparison.introduced)).toEqual(['keepalive-shorter-than-pool', 'app-restarts'])
    expect(codes(comparison.fixed)).toEqual(['dr-disable-vs-strict'])
  })

  test('a replaced pod is the same place, another object is not', () => {
    const about = (subject: string): Note => ({
      ...causeNote,
      otherFindings: [],
      causes: [{ ...causeNote.causes[0]!, subject }],
    })
    const before = about('pod web-8c495b54b-q859f.shop')
    expect(compareNotes(before, about('pod web-7d6d55545f-w7tbk.shop')).introduced).toEqual([])
    expect(compareNotes(before, about('pod cart-7d6d55545f-w7tbk.shop')).introduced).toHaveLength(1)
  })

  test('notes of different calls say so', () => {
    const other: Note = { ...causeNote, call: { ...causeNote.call, to: 'cart.shop' } }
    expect(comparisonText(compareNotes(causeNote, other))).toContain('different calls')
  })

  test('hostile names stay on their line', () => {
    const printed = comparisonText(compareNotes(hostileNote(), hostileNote()))
    expect(printed.split('\n').filter((line) => line.startsWith('- item') || line.startsWith('#'))).toEqual([])
    expect(printed).not.toMatch(/\u001b|\u202e/)
  })
})
