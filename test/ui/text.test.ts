import { describe, expect, test } from 'vitest'
import { atMost, clipLine, labelled, line, lineText, lineWidth, span, wrap } from '../../src/ui/lines.ts'
import { strip, stripLines } from '../../src/ui/strip.ts'
import { clip, clipMiddle, pad, widthOf } from '../../src/ui/width.ts'

describe('how wide text is', () => {
  test.each([
    ['plain', 5],
    ['支払い', 6],
    ['e\u0301a', 2],
    ['👩‍💻!', 3],
    ['🇩🇪', 2],
    ['한글', 4],
    ['✓ ✗ ▸ ·', 7],
    ['a\u200bb', 2],
    ['', 0],
  ])('%s takes %i columns', (text, width) => expect(widthOf(text)).toBe(width))

  test('cutting never leaves half of a wide character', () => {
    expect(clip('支払いサービス', 6)).toBe('支払…')
    expect(widthOf(clip('支払いサービス', 6))).toBeLessThanOrEqual(6)
    expect(clipMiddle('outbound|8080||ledger.pay.svc.cluster.local', 20)).toBe('outbound|8…ter.local')
    expect(pad('支', 4)).toBe('支  ')
  })
})

describe('text of a tool', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['a\u001b]0;title\u0007b', 'ab'],
    ['a\u001b]8;;http://x\u001b\\link', 'alink'],
    ['\u001b[2J\u001b[Hgone', 'gone'],
    ['right\u202eleft', 'rightleft'],
    ['zero\u200bwidth', 'zerowidth'],
    ['tab\there', 'tab  here'],
    ['two\nlines', 'two lines'],
    ['bell\u0007', 'bell'],
    ['c1\u009b31mcsi', 'c1csi'],
    ['tag\u{e0041}', 'tag'],
    ['naïve 支払い ✓ stays', 'naïve 支払い ✓ stays'],
  ])('%j becomes %j', (text, clean) => expect(strip(text)).toBe(clean))

  test('lines of any kind of line end', () => expect(stripLines('a\r\nb\nc\td')).toEqual(['a', 'b', 'c  d']))
  test('a span cannot carry an escape', () => expect(span('\u001b[2Jx').text).toBe('x'))
})

describe('lines', () => {
  test('wrap at blanks, with a hanging indent, and keep the tones', () => {
    const wrapped = wrap(line(span('Next ', 'accent'), 'the server may insist on mTLS'), 16, 5)
    expect(wrapped.map(lineText)).toEqual(['Next the server', '     may insist', '     on mTLS'])
    expect(wrapped[0]?.[0]?.tone).toBe('accent')
  })
  test('break a word that is longer than the line', () => {
    const wrapped = wrap(line('abcdefghijklmnop'), 6)
    expect(wrapped.map(lineText)).toEqual(['abcdef', 'ghijkl', 'mnop'])
  })
  test('never get wider than asked, whatever they hold', () => {
    for (const text of ['支払いサービス支払いサービス x', 'a b c d e f', 'x'.repeat(50), '👩‍💻'.repeat(9)])
      for (const width of [4, 7, 10, 33])
        for (const each of wrap(line(text), width, 3)) expect(lineWidth(each)).toBeLessThanOrEqual(width)
  })
  test('are cut with a sign', () => expect(lineText(clipLine(line('abc', 'defgh'), 6))).toBe('abcde…'))
  test('a label stands beside its text, above it where it is narrow', () => {
    expect(labelled(span('Why'), [line('so it is')], 60, 8).map(lineText)).toEqual(['Why     so it is'])
    expect(labelled(span('Why'), [line('so it is')], 40, 8).map(lineText)).toEqual(['Why', '  so it is'])
  })
})

describe('more lines than there is room for', () => {
  const lines = ['one', 'two', 'three'].map((each) => line(each))
  test('are cut with a sign', () => expect(atMost(lines, 2, 20).map(lineText)).toEqual(['one', 'two …']))
  test('are left alone where they fit', () => expect(atMost(lines, 3, 20)).toEqual(lines))
})
