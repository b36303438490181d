import type { Key } from 'ink'
import { describe, expect, test } from 'vitest'
import { decode, notPasting } from '../../src/ui/decode.ts'
import { edit, emptyField, type Field, fieldText } from '../../src/ui/field.ts'
import { fuzzy, matches } from '../../src/ui/fuzzy.ts'
import * as tables from '../../src/ui/keys.ts'

const none = { ctrl: false, meta: false, shift: false } as Key
const read = (input: string, key: Partial<Key> = {}, before = notPasting) => decode(before, input, { ...none, ...key })

describe('what the keyboard says', () => {
  test('letters that arrive together are pressed one after the other', () =>
    expect(read('jj\r').presses.map(({ token }) => token)).toEqual(['j', 'j', 'enter']))
  test('bracketed paste is one press, whatever it contains', () => {
    const begun = read('[200~').after
    const first = read('q line 1', {}, begun)
    const end = read('', { return: true }, first.after)
    const more = read('line 2', {}, end.after)
    expect(first.presses).toEqual([])
    expect(read('[201~', {}, more.after)).toEqual({
      presses: [{ token: 'paste', text: 'q line 1\nline 2' }],
      after: notPasting,
    })
  })
  test('a terminal without bracketed paste: much at once is a paste', () =>
    expect(read('"GET /api HTTP/1.1" 503 UC upstream_reset\rnext').presses).toEqual([
      { token: 'paste', text: '"GET /api HTTP/1.1" 503 UC upstream_reset\nnext' },
    ]))
  test('escape and a letter in one chunk are two keys', () =>
    expect(read('q', { meta: true }).presses.map(({ token }) => token)).toEqual(['esc', 'q']))
  test('control and arrow keys have names', () => {
    expect(read('c', { ctrl: true }).presses[0]?.token).toBe('ctrl-c')
    expect(read('', { upArrow: true }).presses[0]?.token).toBe('up')
    expect(read('', { tab: true, shift: true }).presses[0]?.token).toBe('shift-tab')
  })
})

describe('key tables', () => {
  const all = Object.entries(tables).flatMap(([name, table]): [string, readonly tables.Binding[]][] =>
    Array.isArray(table) ? [[name, table]] : [],
  )
  test.each(all)('%s gives every key one meaning', (_, table) => {
    const used = table.flatMap(({ keys }) => keys)
    expect(new Set(used).size).toBe(used.length)
  })
  test.each(all)('%s shows the way out', (_, table) => {
    expect(table.slice(-2).some(({ label }) => /close|quit|stay|cancel|discard|done/.test(label))).toBe(true)
  })
  test('arrows and hjkl mean the same', () => {
    for (const table of [tables.walkKeys, tables.diagnosisKeys, tables.evidenceKeys, tables.textKeys] as const)
      for (const [arrow, letter] of [
        ['up', 'k'],
        ['down', 'j'],
        ['left', 'h'],
      ] as const) {
        const press = (token: string) => tables.actionFor<string>(table, { token, text: '' })
        expect(press(letter)).toBe(press(arrow))
      }
  })
})

describe('a text field', () => {
  const type = (...tokens: string[]) =>
    tokens.reduce<Field>(
      (field, token) => edit(field, { token, text: /^[a-z-]{2,}$/.test(token) ? '' : token }) ?? field,
      emptyField,
    )
  test('is edited in the middle', () => expect(fieldText(type('a', 'c', 'left', 'b'))).toBe('abc'))
  test('takes a whole character away', () => expect(fieldText(type('x', 'e\u0301', 'backspace'))).toBe('x'))
  test('ctrl-w takes a word, ctrl-u the line', () => {
    expect(fieldText(type('a', ' ', 'b', 'c', 'ctrl-w'))).toBe('a ')
    expect(fieldText(type('a', 'b', 'ctrl-u'))).toBe('')
  })
  test('keeps no escape sequence', () =>
    expect(fieldText(edit(emptyField, { token: 'x', text: '\u001b[2Jx' }) ?? emptyField)).toBe('x'))
})

describe('fuzzy matching', () => {
  test('letters in order, beginnings of words first', () => {
    expect(fuzzy('lp', 'ledger-pool')?.score ?? 0).toBeGreaterThan(fuzzy('lp', 'help')?.score ?? 0)
    expect(fuzzy('xyz', 'ledger')).toBeNull()
  })
  test('words in any order', () => expect(matches('refused 503', '503 connection refused')).not.toBeNull())
  test('letters scattered over a sentence are no match', () =>
    expect(matches('denied', 'play a recorded incident, needs no cluster')).toBeNull())
})
