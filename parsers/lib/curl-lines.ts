import { judgeCurlError } from './curl-error-text.ts'
import { type CurlTls, readTlsNote } from './curl-tls.ts'

export type Header = readonly [name: string, value: string]

interface Response {
  protocol: string
  status: number
  reason: string | null
  headers: Header[]
}

/** A transfer while its lines come in. */
export interface CurlDraft {
  command: string | null
  connection: { host: string; address: string; port: number } | null
  tried: string[]
  request: { method: string; path: string; protocol: string } | null
  requestHeaders: Header[]
  responses: Response[]
  body: string[]
  bodyLength: number
  tls: CurlTls | null
  spokenError: { code: number; text: string } | null
  exit: { code: number; text: string | null } | null
  notes: string[]
  phase: 'start' | 'request' | 'headers' | 'body'
  line: number
}

export const longestBody = 4096
const mostNotes = 200

export function createDraft(line: number, connection: CurlDraft['connection']): CurlDraft {
  return {
    command: null,
    // A later request may reuse the connection; a new one says so itself.
    connection,
    tried: [],
    request: null,
    requestHeaders: [],
    responses: [],
    body: [],
    bodyLength: 0,
    tls: null,
    spokenError: null,
    exit: null,
    notes: [],
    phase: 'start',
    line,
  }
}

/** A body without a line break, or a progress meter, runs into curl's next line. */
export function splitJoined(line: string): string[] {
  const clean = line.replace(/^.*--:--:--\s+\d+[kMG]?(?=[*<>{}] |curl: \()/, '').replace(/^.*\r(?=.)/, '')
  const joined = /^(.+?)(\* (?:Connection #\d+ to host .*|Closing connection.*)|curl: \(\d+\) .*)$/.exec(clean)
  return joined?.[1] !== undefined && joined[2] !== undefined && !/^[*<>{}$#] /.test(clean)
    ? [joined[1], joined[2]]
    : [clean]
}

export const isCurlLine = (line: string) =>
  /^(?:[*<>] |[<>]$|[{}] \[\d+ bytes data\]|curl: \(\d+\)|# exit \d+|HTTP\/[\d.]+ \d{3})/.test(line) ||
  /^\*\s/.test(line) ||
  /^command terminated with exit code \d+/.test(line)

export function beginsAnother(line: string, draft: CurlDraft): boolean {
  const hasAnswer = draft.responses.some(({ status }) => status >= 200)
  if (/^> [A-Z]+ \S+ HTTP\//.test(line)) return hasAnswer || draft.exit !== null
  if (
    /^\* +(?:Trying |Host \S+ was resolved|Re-using existing|Added \S+ to DNS cache|Hostname .* was found in DNS)/.test(
      line,
    )
  )
    return hasAnswer || draft.exit !== null || draft.spokenError !== null
  if (/^curl: \(\d+\)/.test(line)) return draft.exit?.text != null
  return /^HTTP\/[\d.]+ \d{3}/.test(line) && draft.phase === 'body' && draft.request === null && hasAnswer
}

export function readLine(line: string, draft: CurlDraft): void {
  if (draft.phase === 'start' && /^HTTP\/[\d.]+ \d{3}/.test(line)) draft.phase = 'headers'
  const exit = /^(?:curl: \((\d+)\) ?(.*)|# exit (\d+)|command terminated with exit code (\d+))$/.exec(line)
  if (/^\*\s/.test(line)) readNote(line.slice(1, 2000).trim(), draft)
  else if (/^> |^>$/.test(line)) readRequest(line.slice(2).trimEnd(), draft)
  else if (/^< |^<$/.test(line)) readResponse(line.slice(2).trimEnd(), draft)
  else if (exit) readExit(Number(exit[1] ?? exit[3] ?? exit[4]), exit[2]?.trim() || null, draft)
  // `curl -i` prints headers without marks up to a blank line.
  else if (draft.phase === 'headers' && draft.request === null) readResponse(line.trimEnd(), draft)
  else if (!/^[{}] \[\d+ bytes data\]|^\s*% Total|^\s+Dload|--:--:--/.test(line)) readBody(line, draft)
}

function readExit(code: number, text: string | null, draft: CurlDraft): void {
  if (code !== 0) draft.exit = { code, text: text ?? draft.exit?.text ?? null }
}

function readBody(line: string, draft: CurlDraft): void {
  if (draft.bodyLength >= longestBody || (draft.phase !== 'body' && line.trim() === '')) return
  draft.body.push(line)
  draft.bodyLength += line.length + 1
}

function readNote(note: string, draft: CurlDraft): void {
  const trying = /^Trying (\[[^\]]+\](?::\d+)?|[\d.]+(?::\d+)?|[\da-fA-F:]+)\.\.\.$/.exec(note)
  const connected =
    /^Connected to (\S+) \(([^)]+)\) port (\d+)/.exec(note) ??
    /^Established (?:\S+ )?connection to (\S+) \((\S+) port (\d+)\)/.exec(note)
  if (trying) {
    draft.tried.push(trying[1] ?? '')
    draft.connection = null
    return
  }
  if (connected) {
    draft.connection = { host: connected[1] ?? '', address: connected[2] ?? '', port: Number(connected[3]) }
    return
  }
  const code = judgeCurlError(note)
  // The last words win: a reset during the handshake is told as a reset first and as a TLS failure then.
  if (code !== null && !/continuing anyway/.test(note)) draft.spokenError = { code, text: note }
  const tls = readTlsNote(note, draft.tls)
  if (tls) draft.tls = tls
  else if (draft.notes.length < mostNotes) draft.notes.push(note.slice(0, 1000))
}

function readRequest(text: string, draft: CurlDraft): void {
  const line = /^([A-Z][A-Z-]*) (\S+) (HTTP\/[\d.]+)$/.exec(text)
  if (line && draft.request === null) {
    draft.request = { method: line[1] ?? '', path: line[2] ?? '', protocol: line[3] ?? '' }
    draft.phase = 'request'
  } else if (text !== '') draft.requestHeaders.push(readHeader(text))
}

function readResponse(text: string, draft: CurlDraft): void {
  const status = /^(HTTP\/[\d.]+) (\d{3})(?: (.*))?$/.exec(text)
  if (status) {
    draft.responses.push({
      protocol: status[1] ?? '',
      status: Number(status[2]),
      reason: status[3] || null,
      headers: [],
    })
    draft.phase = 'headers'
  } else if (text === '') {
    const last = draft.responses.at(-1)
    draft.phase = last && last.status < 200 ? 'request' : 'body'
  } else draft.responses.at(-1)?.headers.push(readHeader(text))
}

function readHeader(text: string): Header {
  const colon = text.indexOf(':', 1)
  return colon < 0
    ? [text.toLowerCase(), '']
    : [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()]
}
