import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readCurlCommand } from './lib/curl-command.ts'
import {
  beginsAnother,
  type CurlDraft,
  createDraft,
  type Header,
  isCurlLine,
  longestBody,
  readLine,
  splitJoined,
} from './lib/curl-lines.ts'
import type { CurlTls } from './lib/curl-tls.ts'
import { splitLines } from './lib/log-line.ts'

export type { Header } from './lib/curl-lines.ts'
export type { CurlTls } from './lib/curl-tls.ts'

export interface CurlResponse {
  readonly protocol: string
  readonly status: number
  readonly reason: string | null
  /** Names in lower case, values and order as they came; a header may occur twice. */
  readonly headers: readonly Header[]
}

/** One request as `curl -v` told it. What was not in the text is null: not seen, which is not "there was none". */
export interface CurlTransfer {
  /** The command before it, when it was pasted along. */
  readonly command: string | null
  readonly url: string | null
  readonly host: string | null
  readonly port: number | null
  readonly method: string | null
  readonly path: string | null
  readonly protocol: string | null
  /** The name a TLS client hello carried. */
  readonly sni: string | null
  /** Addresses that were tried, in order: `10.96.1.2:80`. */
  readonly tried: readonly string[]
  /** The address that took the connection. */
  readonly connectedTo: string | null
  readonly requestHeaders: readonly Header[]
  /** Interim (100) responses included; the last one is the answer. */
  readonly responses: readonly CurlResponse[]
  readonly status: number | null
  readonly responseHeaders: readonly Header[]
  /** At most 4 KiB. */
  readonly body: string | null
  readonly tls: CurlTls | null
  /** curl's exit code: from `curl: (56)` or `# exit 56`, else told by the words of the error. */
  readonly errorCode: number | null
  readonly errorText: string | null
  /** `*` lines that say nothing of the above. */
  readonly notes: readonly string[]
  readonly line: number
}

const longestLine = 65536

/** Behind a prompt, `set -x`, or `kubectl exec … --`; without any, only what cannot be prose. */
const commandLine =
  /^(?:(?:\S*[$#%] +|\+ +|> +(?=kubectl |curl ))?kubectl .* |\S*[$#%] +|\+ +|(?=curl (?:-|['"]?https?:|\S+$)))(curl .*)$/

export function parseCurl(text: string): readonly CurlTransfer[] {
  const done: CurlDraft[] = []
  let draft: CurlDraft | null = null
  const current = (line: number): CurlDraft => {
    draft ??= createDraft(line, done.at(-1)?.connection ?? null)
    return draft
  }
  const next = () => {
    if (draft) done.push(draft)
    draft = null
  }
  splitLines(text).forEach((original, index) => {
    const number = index + 1
    for (const line of splitJoined(original.slice(0, longestLine))) {
      const command = commandLine.exec(line)?.[1]
      if (command !== undefined) {
        next()
        current(number).command = command
      } else {
        if (draft && beginsAnother(line, draft)) next()
        // Text before anything of curl is somebody's own words, not a body.
        if (draft || isCurlLine(line)) readLine(line, current(number))
      }
    }
  })
  next()
  return done.map(finish)
}

function finish(draft: CurlDraft): CurlTransfer {
  const command = draft.command === null ? null : readCurlCommand(draft.command)
  const url = readUrl(command?.url ?? null)
  const hostHeader = draft.requestHeaders.find(([name]) => name === 'host' || name === ':authority')?.[1] ?? null
  const answer = draft.responses.at(-1)
  const error = draft.exit ?? draft.spokenError
  const errorText = draft.exit?.text ?? draft.spokenError?.text ?? null
  // With `-f` a refused answer is told only here.
  const told = /returned error: (\d{3})/.exec(errorText ?? '')?.[1]
  const urlHost = url?.host ?? draft.connection?.host ?? null
  const isTls = draft.tls !== null || url?.scheme === 'https'
  return {
    command: draft.command,
    url: command?.url ?? null,
    host: splitPort(hostHeader)?.host ?? urlHost,
    port: url?.port ?? draft.connection?.port ?? splitPort(hostHeader)?.port ?? null,
    method: draft.request?.method ?? command?.method ?? (url ? 'GET' : null),
    path: draft.request?.path ?? url?.path ?? null,
    protocol: draft.request?.protocol ?? null,
    // curl sends no server name for an address.
    sni: isTls && urlHost !== null && !/^[\d.]+$|:/.test(urlHost) ? urlHost : null,
    tried: draft.tried,
    connectedTo: draft.connection ? joinPort(draft.connection.address, draft.connection.port) : null,
    requestHeaders: draft.requestHeaders.length > 0 ? draft.requestHeaders : (command?.headers ?? []),
    responses: draft.responses,
    status: answer && answer.status >= 200 ? answer.status : told ? Number(told) : null,
    responseHeaders: answer?.headers ?? [],
    body: draft.body.length > 0 ? draft.body.join('\n').slice(0, longestBody).trimEnd() || null : null,
    tls: draft.tls,
    errorCode: error?.code ?? null,
    errorText,
    notes: draft.notes,
    line: draft.line,
  }
}

function readUrl(url: string | null) {
  const parts =
    url === null ? null : /^(?:(https?):\/\/)?(?:[^@/?#]*@)?(\[[^\]]+\]|[^:/?#]+)(?::(\d+))?([/?][^#]*)?/i.exec(url)
  if (!parts) return null
  const scheme = (parts[1] ?? 'http').toLowerCase()
  const path = parts[4] ?? '/'
  return {
    scheme,
    host: (parts[2] ?? '').replace(/^\[|\]$/g, ''),
    port: parts[3] ? Number(parts[3]) : scheme === 'https' ? 443 : 80,
    path: path.startsWith('/') ? path : `/${path}`,
  }
}

function splitPort(authority: string | null): { host: string; port: number | null } | null {
  const parts = authority === null ? null : /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(authority)
  if (!parts) return null
  return { host: (parts[1] ?? '').replace(/^\[|\]$/g, ''), port: parts[2] ? Number(parts[2]) : null }
}

const joinPort = (address: string, port: number) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

const Text = z.string().nullable()
const HeaderSchema = z.tuple([z.string(), z.string()]).readonly()
const Tls = z.object({
  version: Text,
  cipher: Text,
  alpn: Text,
  subject: Text,
  issuer: Text,
  expires: Text,
  verification: z.enum(['ok', 'failed', 'skipped']).nullable(),
  errors: z.array(z.string()).readonly(),
})
const Transfer = z.object({
  command: Text,
  url: Text,
  host: Text,
  port: z.number().nullable(),
  method: Text,
  path: Text,
  protocol: Text,
  sni: Text,
  tried: z.array(z.string()).readonly(),
  connectedTo: Text,
  requestHeaders: z.array(HeaderSchema).readonly(),
  responses: z
    .array(
      z.object({
        protocol: z.string(),
        status: z.number(),
        reason: Text,
        headers: z.array(HeaderSchema).readonly(),
      }),
    )
    .readonly(),
  status: z.number().nullable(),
  responseHeaders: z.array(HeaderSchema).readonly(),
  body: Text,
  tls: Tls.nullable(),
  errorCode: z.number().nullable(),
  errorText: Text,
  notes: z.array(z.string()).readonly(),
  line: z.number(),
})

/** What `curl -v` (or `-i`, or only its error) left in a terminal; one entry for every request. */
export default defineParser<readonly CurlTransfer[]>({
  name: 'curl',
  schema: z.array(Transfer).readonly(),
  parse(text) {
    const transfers = parseCurl(text)
    const said = transfers.filter(
      (transfer) =>
        transfer.responses.length > 0 ||
        transfer.errorCode !== null ||
        transfer.tried.length > 0 ||
        transfer.method !== null,
    )
    if (said.length === 0)
      throw new ParseError(`curl: nothing that curl prints in ${JSON.stringify(text.slice(0, 120))}`)
    return said
  },
})
