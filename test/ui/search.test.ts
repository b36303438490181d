import { describe, expect, test } from 'vitest'
import { findIn, textRows } from '../../src/ui/search.ts'

describe('search in what a command printed', () => {
  test('long lines go on in the next row, and keep their line', () =>
    expect(textRows('abcdef\ngh\n', 4)).toEqual([
      { text: 'abcd', line: 0 },
      { text: 'ef', line: 0 },
      { text: 'gh', line: 1 },
    ]))
  test('finds every place, also several in a row, whatever the capitals', () => {
    const { hits, ranges } = findIn(textRows('Ledger, ledger\nweb\nLEDGER', 40), 'ledger')
    expect(hits).toEqual([0, 0, 2])
    expect(ranges.get(0)).toEqual([
      { from: 0, to: 6, hit: 0 },
      { from: 8, to: 14, hit: 1 },
    ])
  })
  test('finds what the edge of the screen cuts in two', () => {
    const { hits, ranges } = findIn(textRows('xx ledger yy', 6), 'ledger')
    expect(hits).toEqual([0])
    expect(ranges.get(0)).toEqual([{ from: 3, to: 6, hit: 0 }])
    expect(ranges.get(1)).toEqual([{ from: 0, to: 3, hit: 0 }])
  })
  test('does not find across two lines', () => expect(findIn(textRows('led\nger', 40), 'ledger').hits).toEqual([]))
  test('letters that grow in lower case do not move the marks', () => {
    const text = 'İstanbul ledger'
    const [range] = findIn(textRows(text, 40), 'ledger').ranges.get(0) ?? []
    expect(range && text.slice(range.from, range.to)).toBe('ledger')
  })
  test('a letter of a large text neither hangs nor counts for ever', () => {
    const rows = textRows(`${'a'.repeat(400_000)}\n`.repeat(3), 80)
    expect(findIn(rows, 'a')).toMatchObject({ isCut: true })
    expect(findIn(rows, 'b').hits).toEqual([])
  })
})
