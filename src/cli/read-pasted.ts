import { parseAccessLog } from '../../parsers/access-log.ts'
import { type CurlTransfer, parseCurl } from '../../parsers/curl.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { answeredStatus } from '../mesh/answered-status.ts'
import type { SymptomId } from '../model/call.ts'
import { type CurlFacts, nothingPasted, type Pasted } from '../situation/hints.ts'

/** Reads what a person pasted or piped in: log lines of any proxy, and what curl printed. */
export function readPasted(logText: string | null, curlText: string | null): Pasted {
  const log = logText === null ? null : parseAccessLog(logText)
  const ztunnel =
    logText === null
      ? []
      : logText.split('\n').flatMap((text, index) => {
          if (!/access|proxy|src\.addr|direction=/.test(text)) return []
          const entry = parseZtunnelLine(text, index + 1)
          return entry !== null && isZtunnelRecord(entry) ? [entry] : []
        })
  return { ...nothingPasted, records: log?.records ?? [], ztunnel, curl: curlText === null ? null : readCurl(curlText) }
}

function readCurl(text: string): CurlFacts | null {
  const transfers = parseCurl(text)
  // The transfer that went wrong is the one that is meant.
  const meant =
    transfers.find(({ errorCode, status }) => errorCode !== null || (status ?? 0) >= 400) ?? transfers.at(-1)
  return meant ? factsOf(meant) : null
}

function factsOf(transfer: CurlTransfer): CurlFacts {
  const { url, port, method, path, status, responseHeaders, body, errorCode, errorText, sni } = transfer
  const hostHeader = transfer.requestHeaders.find(([name]) => name.toLowerCase() === 'host')?.[1]
  return {
    url,
    host: hostHeader ?? transfer.host,
    port,
    address: transfer.connectedTo ?? transfer.tried[0] ?? null,
    method,
    path,
    status,
    responseHeaders,
    body,
    errorCode,
    errorText,
    sni,
  }
}

const byCode: Readonly<Record<number, SymptomId>> = {
  400: '400',
  401: '401',
  403: '403',
  404: '404',
  413: '413',
  426: '426',
  429: '429',
  431: '431',
  500: '500',
  502: '502',
  503: '503',
  504: '504',
  408: 'timeout',
}

/** The symptom that the pasted text shows, when nobody named one. */
export function symptomOf({ records, ztunnel, curl }: Pasted): SymptomId | null {
  if (curl) {
    const byStatus = curl.status === null ? undefined : byCode[curl.status]
    if (byStatus) return byStatus
    if (curl.errorCode === 28) return 'timeout'
    if (curl.errorCode === 35 || curl.errorCode === 60) return 'tls'
    if (curl.errorCode === 52 || curl.errorCode === 56 || curl.errorCode === 7) return 'reset'
  }
  for (const record of records) {
    const { flags, details, termination } = record
    const code = answeredStatus(record)
    const known = code === null ? undefined : byCode[code]
    if (known) return known
    if (flags.some((flag) => flag === 'UT' || flag === 'DC' || flag === 'SI')) return 'timeout'
    if (code === 0 && (flags.length > 0 || details !== null || termination !== null)) return 'reset'
  }
  return ztunnel.some(({ error }) => error !== null) ? 'reset' : null
}
