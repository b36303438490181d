import { detailEntries, resetBodyEntries } from './detail-entries.ts'
import { type Recognised, recognisedEntry, shorten } from './explanation.ts'
import { istCode, referenceLayer } from './ist-codes.ts'
import { type ClusterName, parseClusterName, parsePolicyId, parseSni } from './names.ts'
import { readTlsErrorNumber, tlsErrorSentence } from './tls-errors.ts'
import type { EntryKind, VocabularyEntry } from './vocabulary.ts'
import { findIn, lookUp } from './vocabulary.ts'

/** Texts long and peculiar enough to be found inside a line. */
const textKinds: readonly EntryKind[] = [
  'response-detail',
  'authz-text',
  'jwt-text',
  'ztunnel-error',
  'curl-error',
  'caller-error',
  'transport-failure',
  'istiod-text',
  'response-body',
  'termination-detail',
]

export interface TermsFound {
  readonly recognised: readonly Recognised[]
  /** Words that look like terms and are none we know. */
  readonly unknown: readonly string[]
}

/** Terms in one line that is no log line: a word, a list of flags, a message, or a line of some tool's output. */
export function explainTerms(line: string): TermsFound {
  const text = line.trim()
  const finding = analyzeFinding(text)
  if (finding) return { recognised: [finding], unknown: [] }
  const nack = rejectedPush(text)
  if (nack) return { recognised: [nack], unknown: [] }
  const named = explainName(text)
  if (named) return { recognised: [named], unknown: [] }
  const detailed = detailEntries(text)
  if (detailed.length > 1) return { recognised: detailed.map((entry) => recognisedEntry(entry, text)), unknown: [] }
  const coded = codedError(text)
  if (coded.length > 0) return { recognised: coded.map((entry) => recognisedEntry(entry, text)), unknown: [] }
  const whole = lookUp(text)
  if (whole.length > 0 && resetBodyEntries(text).length === 0)
    return { recognised: callerFirst(whole).map((entry) => recognisedEntry(entry, text)), unknown: [] }
  const newer = newerCode(text)
  if (newer) return { recognised: [newer], unknown: [] }
  const words = text.split(/[\s,]+/).filter(Boolean)
  const isShort = words.length <= 4
  const recognised: Recognised[] = []
  const unknown: string[] = []
  const add = (found: Recognised) => {
    const known = recognised.some((other) => other.sentence === found.sentence)
    if (!known) recognised.push(found)
  }
  for (const entry of [...resetBodyEntries(text), ...findIn(text, textKinds).slice(0, 3)])
    add(recognisedEntry(entry, text))
  for (const printed of words) {
    const word = printed.replace(/^["'(`:]+|["')`:;.]+$/g, '')
    if (word === '') continue
    const name = explainName(word)
    if (name) {
      add(name)
      continue
    }
    const found = lookUp(word).filter((entry) => isShort || isMeant(entry, word))
    if (found.length > 0) for (const entry of found) add(recognisedEntry(entry, word))
    else if (looksLikeTerm(word, isShort)) unknown.push(shorten(word, 120))
  }
  recognised.sort((a, b) => weight(a) - weight(b))
  return { recognised, unknown }
}

/** Cluster names, SNIs, policy ids and TLS error numbers follow a grammar, so they are read rather than looked up. */
export function explainName(word: string): Recognised | null {
  const policyText = /rbac_access_denied|policy\[/.test(word) ? parsePolicyId(word) : null
  if (policyText) {
    const entry = lookUp(word, ['authz-text'])[0] ?? lookUp('ns[x]-policy[x]-rule[0]', ['authz-text'])[0]!
    const place = `${policyText.namespace}/${policyText.name}, rule ${policyText.rule} (counted from 0)`
    const found = recognisedEntry(entry, word, `AuthorizationPolicy ${place}: ${entry.meaning}`)
    return {
      ...found,
      next: [`kubectl get authorizationpolicy ${policyText.name} -n ${policyText.namespace} -o yaml`],
    }
  }
  const sni = parseSni(word)
  if (sni) {
    const entry = lookUp('SNI', ['glossary'])[0]!
    const subset = sni.subset ? `, subset ${sni.subset}` : ''
    return {
      ...recognisedEntry(entry, word),
      what: 'SNI of mesh mutual TLS',
      sentence: `A caller’s proxy sends this server name with mutual TLS towards ${sni.host} port ${sni.port}${subset}. On a server’s line it proves that mutual TLS was used.`,
      layer: 'transport-mtls',
    }
  }
  if (word.split('|').length === 4) {
    const cluster = parseClusterName(word)
    if (cluster.role !== 'other') return explainCluster(cluster)
  }
  const number = /^\d{9}$/.test(word) ? readTlsErrorNumber(Number(word)) : null
  if (number) {
    const entry = lookUp(word, ['transport-failure'])[0] ?? lookUp('TLS_error', ['transport-failure'])[0]!
    return recognisedEntry(entry, word, `${tlsErrorSentence(number)} ${entry.meaning}`)
  }
  return null
}

function explainCluster(cluster: ClusterName): Recognised {
  const entry = lookUp('cluster', ['glossary'])[0]!
  const base = recognisedEntry(entry, cluster.raw)
  const subset = cluster.subset ? `, subset ${cluster.subset}` : ''
  if (cluster.role === 'inbound')
    return {
      ...base,
      what: 'cluster name',
      sentence: `The local application on port ${cluster.port}, as the server’s own proxy sees it: lines with this cluster are the server side’s.`,
      layer: 'app',
      next: ['Container port and bind address of the application'],
      mistakes: ['The port is the Service’s targetPort, not its port.'],
    }
  const waypoint = cluster.role === 'inbound-vip'
  return {
    ...base,
    what: 'cluster name',
    sentence: waypoint
      ? `Service ${cluster.host} port ${cluster.port}${subset}, as a waypoint sees it: lines with this cluster are a waypoint’s.`
      : `Calls to ${cluster.host} port ${cluster.port}${subset}: lines with this cluster are the caller’s side’s (its proxy or a gateway).`,
    layer: waypoint ? 'ambient-waypoint' : 'client-sidecar-cluster',
    next: [`istioctl proxy-config endpoints <pod>.<ns> --cluster "${cluster.raw}"`],
  }
}

/** A line of `istioctl analyze`: `Error [IST0101] (VirtualService shop/web) Referenced host not found: "x"`. */
function analyzeFinding(text: string): Recognised | null {
  const match = /\b(Error|Warning|Warn|Info) \[(IST\d{4})\](?: \[cluster-[^\]]+\])?(?: \(([^)]*)\))?\s*(.*)$/is.exec(
    text,
  )
  if (!match) return null
  const [, level = '', code = '', object, message = ''] = match
  const about = object ? ` about ${object}` : ''
  const entry = istCode(code)
  if (!entry)
    return {
      ...unknownCode(
        code,
        `istioctl analyze reports ${level} ${code}${about}: ${shorten(message)} The code is not one we know; the message is the analyzer’s own.`,
      ),
      what: 'analyzer finding',
      text: shorten(text),
    }
  const referenced = code === 'IST0101' ? /Referenced (.+?) not found/i.exec(message)?.[1] : undefined
  return {
    ...recognisedEntry(entry, text),
    what: 'analyzer finding',
    sentence: `istioctl analyze reports ${entry.term} ${entry.name} (${level})${about}: ${shorten(message)} ${entry.meaning}`,
    layer: referenced === undefined ? entry.layer : referenceLayer(referenced),
  }
}

/** A bare phrase that proxies and callers print alike is most often pasted from a caller. */
function callerFirst(found: readonly VocabularyEntry[]): readonly VocabularyEntry[] {
  const isCallers = ({ side }: VocabularyEntry) => side === 'caller'
  return [...found.filter(isCallers), ...found.filter((entry) => !isCallers(entry))]
}

/** A code of the analyzer's that came after this release, or never was. */
function newerCode(text: string): Recognised | null {
  if (!/^IST\d{4}$/i.test(text)) return null
  return unknownCode(
    text,
    `${text.toUpperCase()} is spelled like a code of istioctl analyze and is none that we know: newer than this release, or mistyped.`,
  )
}

function unknownCode(text: string, sentence: string): Recognised {
  const code = /IST\d{4}/i.exec(text)?.[0].toLowerCase() ?? ''
  return {
    what: 'analyzer code',
    text: shorten(text),
    sentence,
    entries: [],
    layer: 'control-plane',
    next: [`https://istio.io/latest/docs/reference/config/analysis/${code}/`],
    mistakes: ['A finding explains an incident only if its object lies on the way of the failing call.'],
  }
}

/** istiod's word for a rejected push: type, proxy and Envoy's reason stand in the line. */
function rejectedPush(text: string): Recognised | null {
  const match = /ADS:([A-Z]+): ACK ERROR (\S+)\s+(.*)$/s.exec(text)
  if (!match) return null
  const [, type = '', proxy = '', reason = ''] = match
  const entry = lookUp('NACK', ['xds-state'])[0]!
  const kind = lookUp(type, ['xds-state'])[0]
  return {
    ...recognisedEntry(entry, text),
    what: 'rejected push in istiod’s log',
    sentence: `Proxy ${proxy} rejected the last ${type} push and goes on with the configuration before it. Envoy’s reason: ${shorten(reason)}`,
    entries: kind ? [entry, kind] : [entry],
  }
}

/** `exit 56` of curl, and `rpc error: code = Unavailable desc = …` of gRPC libraries. */
function codedError(text: string): readonly VocabularyEntry[] {
  const exit = /^#?\s*exit(?: code| status)?:?\s*(\d+)$/i.exec(text)?.[1]
  if (exit !== undefined) return lookUp(`curl: (${exit})`, ['curl-error'])
  const name = /^rpc error: code = (\w+)/i.exec(text)?.[1]
  if (name === undefined) return []
  return lookUp(name.replace(/([a-z])([A-Z])/g, '$1_$2'), ['grpc-status'])
}

/** In prose a word counts as a term only where it is spelled like one: `route` and `error` are plain English there. */
function isMeant(entry: VocabularyEntry, word: string): boolean {
  if (entry.kind === 'http-status' || (entry.kind === 'glossary' && /^[a-z]+$/.test(word))) return false
  return entry.term === word || entry.aliases.includes(word) || /_/.test(word)
}

function looksLikeTerm(word: string, isShort: boolean): boolean {
  if (/^IST\d+$/i.test(word)) return true
  if (/^[a-z0-9]+(_[a-z0-9]+)+(\{.*\}|\[.*\])?$/i.test(word) && isShort) return true
  return isShort && /^[A-Z][A-Z0-9]{1,6}$/.test(word)
}

/** Status codes say least, flags less than details. */
function weight(found: Recognised): number {
  const kind = found.entries[0]?.kind
  if (kind === 'http-status') return 3
  if (kind === 'glossary') return 4
  return kind === 'response-flag' ? (found.entries[0]?.term === 'URX' ? 2 : 1) : 0
}
