import { describe, expect, test } from 'vitest'
import { readJsonDocuments } from '../../parsers/lib/json-stream.ts'
import { readTable } from '../../parsers/lib/table.ts'
import { ParseError } from '../../src/model/errors.ts'

/** Lays cells out as Go's tabwriter does: the last cell of a line is not padded. */
function table(padding: number, ...lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, at) => Math.max(...lines.map((line) => Array.from(line[at]!).length)) + padding)
  return lines
    .map((line) => `${line.map((cell, at) => pad(cell, at === line.length - 1 ? 0 : widths[at]!)).join('')}\n`)
    .join('')
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - Array.from(cell).length))
}

const log = '2026-01-31T10:00:00.123456Z\terror\tklog\twatch error in cluster: failed to list *v1.Secret\n'
const rows = (text: string, headers: readonly string[] = ['NAME', 'STATUS', 'LAST'], tight = false) =>
  readTable(text, headers, { tight }).rows

describe('a table', () => {
  test('keeps cells with blanks, and empty ones at either end', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['', 'NOT SENT', ''], ['a, b + 2 more...', '', 'x'])
    expect(rows(text)).toEqual([
      { NAME: '', STATUS: 'NOT SENT', LAST: '' },
      { NAME: 'a, b + 2 more...', STATUS: '', LAST: 'x' },
    ])
  })

  test('is the same with CRLF, colours and a byte order mark', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['a', 'OK', 'x'])
    const coloured = text.replace('OK', '\u001b[32mOK\u001b[0m')
    expect(rows(`\ufeff${coloured.replaceAll('\n', '\r\n')}`)).toEqual(rows(text))
  })

  test('counts runes, as tabwriter does', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['naïve-✔-😀', 'OK', 'x'], ['b', 'FAILED', 'y'])
    expect(rows(text).map((row) => row.STATUS)).toEqual(['OK', 'FAILED'])
  })

  test('has log lines set apart, wherever they break in', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['a', 'OK', 'x'], ['b', 'OK', 'y'])
    const cut = text.indexOf('OK') + 1
    for (const where of [0, cut, text.indexOf('b'), text.length]) {
      const read = readTable(text.slice(0, where) + log + text.slice(where), ['NAME', 'STATUS', 'LAST'])
      expect(read.rows).toEqual(rows(text))
      expect(read.logLines).toEqual([log.trimEnd()])
    }
  })

  test('keeps columns that nobody knows, and tells two of one name apart', () => {
    const text = table(5, ['NAME', 'HALF LIFE', 'STATUS', 'WDS', 'WDS', 'LAST'], ['a', '3 h', 'OK', 'old', 'new', 'x'])
    expect(rows(text)).toEqual([
      { NAME: 'a', 'HALF LIFE': '3 h', STATUS: 'OK', WDS: 'old', 'WDS (2)': 'new', LAST: 'x' },
    ])
  })

  test('with columns one blank apart is cut at the longest names that are known', () => {
    const headers = ['WORKLOAD', 'REMOTE', 'REMOTE TARGET']
    const text = table(1, ['WORKLOAD', 'REMOTE', 'REMOTE TARGET', 'NEW'], ['w', '', 't', 'n'])
    expect(rows(text, headers, true)).toEqual([{ WORKLOAD: 'w', REMOTE: '', 'REMOTE TARGET': 't', NEW: 'n' }])
  })

  test('does not take NAME out of NAMESPACE', () => {
    const text = table(5, ['NAMESPACE', 'NAME'], ['shop', 'web'])
    expect(rows(text, ['NAME'])).toEqual([{ NAMESPACE: 'shop', NAME: 'web' }])
    expect(() => rows('NAMESPACE     STATUS\n', ['NAME', 'STATUS'])).toThrow(ParseError)
  })

  test('whose cell was changed in width is read by its gaps, if no cell is empty', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['web-1.shop', 'OK', 'x'])
    for (const name of ['[redacted-name-of-a-pod]', 'x'])
      expect(rows(text.replace('web-1.shop', name))).toEqual([{ NAME: name, STATUS: 'OK', LAST: 'x' }])
  })

  test('may have text above it, which is kept', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['a', 'OK', 'x'])
    const read = readTable(`$ istioctl something\n\n${text}`, ['NAME', 'STATUS', 'LAST'])
    expect(read).toMatchObject({ rows: rows(text), logLines: ['$ istioctl something'] })
  })

  test('may repeat its header with other widths', () => {
    const first = table(5, ['NAME', 'STATUS', 'LAST'], ['a', 'OK', ''])
    const second = table(5, ['NAME', 'STATUS', 'LAST'], ['a-long-name', 'OK', ''])
    expect(rows(first + second).map((row) => row.NAME)).toEqual(['a', 'a-long-name'])
  })

  test('is refused when a line does not fit, or says that something failed', () => {
    const text = table(5, ['NAME', 'STATUS', 'LAST'], ['a', 'OK', 'x'])
    const stray = 'a message from a plugin that nobody asked for'
    for (const broken of [
      `${text}${stray}\n`,
      `${text}Error: pods is forbidden\n`,
      `Error: pods is forbidden\n${text}`,
    ])
      expect(() => rows(broken), broken).toThrow(ParseError)
    for (const broken of ['', '\n', log, 'NAME STATUS\n']) expect(() => rows(broken), broken).toThrow(ParseError)
  })
})

describe('JSON documents', () => {
  test('may follow each other in any spacing, with log lines around and between', () => {
    const documents = [{ a: '} { " \\" [' }, [1, { b: [] }], {}]
    const texts = documents.map((document) => JSON.stringify(document, null, 4))
    for (const between of ['', '\n', `\n${log}`]) {
      const text = log + texts.join(between) + log
      expect(readJsonDocuments(text).documents).toEqual(documents)
    }
    expect(readJsonDocuments(log + texts[0]).logLines).toEqual([log.trimEnd()])
  })

  test('have a log line taken out of their middle', () => {
    const text = JSON.stringify([{ name: 'web' }], null, '\t')
    for (let at = 0; at <= text.length; at += 1)
      expect(readJsonDocuments(text.slice(0, at) + log + text.slice(at)).documents, `at ${at}`).toEqual([
        [{ name: 'web' }],
      ])
  })

  test('are refused when cut, broken, or in other company', () => {
    for (const text of [
      '',
      '\n',
      log,
      '{"a": 1',
      '["a',
      '{"a": 1}}',
      '{"a": nope}',
      '{} Error: no',
      'Error: {}',
      'text [1]',
    ])
      expect(() => readJsonDocuments(text), text).toThrow(ParseError)
  })
})
