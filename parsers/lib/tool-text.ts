import { ParseError } from '../../src/model/errors.ts'

/** What a tool printed, without its own log lines. */
export interface ToolText {
  readonly body: string
  readonly logLines: readonly string[]
}

// CSI sequences (colours) and OSC sequences (terminal titles, links).
const escapes = /\u001b\[[0-9;?]{0,32}[ -/]{0,4}[@-~]|\u001b\][^\u0007\u001b]{0,256}(?:\u0007|\u001b\\)/g

export function stripColours(text: string): string {
  return text.includes('\u001b') ? text.replace(escapes, '') : text
}

// istioctl logs to stdout by default: `2026-11-21T05:30:06.694715Z<TAB>error<TAB>message`. The record may start in the
// middle of a line, since the table and the log have different writers. Neither a table nor valid JSON holds such tabs.
const logRecord =
  /\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:?\d\d)\t(?:debug|info|warn|warning|error|fatal|none)\t[^\n]*(?:\n\t\* [^\n]*)*\n?/g
// klog, when something in istioctl bypasses its logger: `E0101 12:00:00.000000   123 memcache.go:265] message`.
const klogRecord = /^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w./-]+:\d+\] [^\n]*\n?/gm

/** Drops colours and carriage returns, and sets istioctl's own log lines apart. */
export function readToolText(text: string): ToolText {
  const plain = stripColours(text)
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
  const logLines: string[] = []
  const keep = (record: string) => {
    logLines.push(record.trimEnd())
    return ''
  }
  return { body: plain.replace(logRecord, keep).replace(klogRecord, keep), logLines }
}

/** An error message is not an answer, however much of it looks like one. */
export function refuseErrorText(body: string, what: string): void {
  const line = /^(?:Error|error|Usage): ?.*/m.exec(body)?.[0]
  if (line !== undefined) throw new ParseError(`${what}: ${shorten(line)}`)
}

export function shorten(line: string, length = 160): string {
  return line.length > length ? `${line.slice(0, length)}…` : line
}
