import { parseAccessLogLine } from '../../parsers/access-log.ts'
import { parseCurl } from '../../parsers/curl.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { explainText } from '../mesh/explain.ts'
import { seenExchange } from '../mesh/explain-exchange.ts'
import { type Given, SymptomId } from '../model/call.ts'
import { readHints } from '../situation/hints.ts'
import type { Explanation, Paste } from '../ui/ports.ts'
import { readPasted, symptomOf } from './read-pasted.ts'

const parsers = {
  accessLog: (line: string) => {
    const item = parseAccessLogLine(line)
    return item.kind === 'record' ? item.record : null
  },
  ztunnel: (line: string) => {
    const entry = parseZtunnelLine(line)
    return entry !== null && isZtunnelRecord(entry) ? entry : null
  },
  curl: (text: string) =>
    parseCurl(text)
      .map(seenExchange)
      .filter((seen) => seen !== null)
      .at(-1) ?? null,
}

export function explain(text: string): Explanation | null {
  const { answer, layer, recognised, next, mistakes } = explainText(text, parsers)
  if (recognised.length === 0) return null
  return {
    title: text.split('\n', 1)[0]?.slice(0, 80) ?? '',
    sentences: [answer],
    layer,
    lookNext: next.map((why) => ({ command: null, why })),
    myth: mistakes[0] ?? null,
  }
}

/** A pasted line or transcript: what it says, and which questions it answers. */
export function readPaste(text: string): Paste | null {
  const isCurl = /^[*<>] |curl: \(\d+\)|HTTP\/\d/m.test(text) && !/^\[\d{4}-/m.test(text)
  const pasted = readPasted(isCurl ? null : text, isCurl ? text : null)
  const explained = explainText(text, parsers)
  const isKnown = pasted.records.length > 0 || pasted.ztunnel.length > 0 || pasted.curl !== null
  if (!isKnown && explained.recognised.length === 0) return null
  const symptom = symptomOf(pasted) ?? SymptomId.safeParse(text.trim()).data ?? null
  const hints = readHints({ ...emptyPasteGiven, ...(symptom ? { symptom } : {}) }, pasted)
  return {
    kind: isCurl
      ? 'curl'
      : pasted.ztunnel.length > 0
        ? 'ztunnel-log'
        : pasted.records.length > 0
          ? 'access-log'
          : 'text',
    sentence: explained.answer,
    details: [...explained.next, ...explained.mistakes].slice(0, 4),
    given: {
      ...(symptom ? { symptom } : {}),
      ...(isKnown && !isCurl ? { logText: text } : {}),
      ...(isCurl ? { curlText: text } : {}),
      ...(hints.method ? { method: hints.method } : {}),
      ...(hints.path ? { path: hints.path } : {}),
      ...(hints.authority ? { host: hints.authority.replace(/:\d+$/, '') } : {}),
    },
  }
}

const emptyPasteGiven: Given = {
  symptom: 'unknown',
  from: null,
  to: null,
  host: null,
  method: null,
  path: null,
  headers: [],
  jwtClaims: null,
  logText: null,
  curlText: null,
  namespace: null,
  istioNamespace: 'istio-system',
  revision: null,
  since: null,
  noExec: false,
}
