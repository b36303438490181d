import type { Certainty } from '../../model/answered-by.ts'
import type { Given, Target } from '../../model/call.ts'
import type { EvidenceEntry } from '../../model/evidence.ts'
import type { RunState } from '../../model/run.ts'
import type { Mark, Tone } from '../theme.ts'
import { clipMiddle, widthOf } from '../width.ts'

export function seconds(ms: number): string {
  const whole = Math.floor(ms / 1000)
  return whole < 60 ? `${whole}\u00a0s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

/** How long a command took: one decimal below ten seconds. */
export function took(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}\u00a0s` : seconds(ms)
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

export const symptomWords: Readonly<Record<Given['symptom'], string>> = {
  '400': '400',
  '401': '401',
  '403': '403',
  '404': '404',
  '413': '413',
  '426': '426',
  '429': '429',
  '431': '431',
  '500': '500',
  '502': '502',
  '503': '503',
  '504': '504',
  reset: 'connection reset',
  tls: 'TLS handshake',
  timeout: 'timeout',
  slow: 'slow',
  'not-applied': 'change has no effect',
  'not-injected': 'pod not in the mesh',
  unknown: 'something is wrong',
}

export function targetText(target: Target | null): string | null {
  if (!target) return null
  const name = target.namespace ? `${target.name}.${target.namespace}` : target.name
  return target.port === null ? name : `${name}:${target.port}`
}

/** `web.shop → ledger.pay:8080`, as far as it is known. */
export function callText(state: RunState): string {
  const { call, given } = state
  const from = call?.from ?? targetText(given?.from ?? null) ?? 'unknown caller'
  const to = call?.to ?? targetText(given?.to ?? null) ?? call?.host ?? given?.host ?? 'unknown destination'
  const port = call?.port && !to.endsWith(`:${call.port}`) ? `:${call.port}` : ''
  return `${from} → ${to}${port}`
}

export function requestText(state: RunState): string | null {
  const { call, given } = state
  const method = call?.method ?? given?.method
  const path = call?.path ?? given?.path
  return method || path ? [method, path].filter(Boolean).join(' ') : null
}

export const certaintyWords: Readonly<Record<Certainty, string>> = {
  proven: 'proven',
  likely: 'likely',
  possible: 'possible',
}

const reasonWords: Readonly<Record<string, string>> = {
  forbidden: 'not allowed',
  'tool-missing': 'the tool is not installed',
  'timed-out': 'no answer in time',
  canceled: 'given up by you',
  'too-big': 'too large to read',
  'not-recorded': 'not in this recording',
  refused: 'refused: it is no read',
  unreadable: 'it printed something we cannot read',
  'not-found': 'not there',
  unreachable: 'not reachable',
  'no-cluster': 'no cluster',
  unauthenticated: 'the login is not valid any more',
  'no-proxy': 'there is no proxy in it',
  'no-container': 'there is no such container',
  'port-forward-denied': 'not allowed to forward a port',
  'exec-denied': 'not allowed to exec',
  unsupported: 'this version cannot do it',
  'no-istiod': 'no istiod was found',
  empty: 'it printed nothing',
  other: 'it failed',
}

export function reasonText(reason: string | null): string {
  if (reason === null) return 'no reason given'
  return reasonWords[reason] ?? reason.replaceAll('-', ' ')
}

/** A permission is asked for; anything else is tried. */
export function unlockText({ reason, unlock }: EvidenceEntry): string {
  if (reason === 'canceled') return 'r asks again'
  return /forbidden|denied/.test(reason ?? '') ? `ask for: ${unlock}` : `to see it: ${unlock}`
}

/** Kinds that one answer leaves out: kubectl prints what it may and says on the side what it may not. */
export function partsNotRead(entry: EvidenceEntry | null): readonly { resource: string; detail: string }[] {
  const data = entry?.status === 'ok' ? entry.data : null
  return typeof data === 'object' && data !== null && 'unreadable' in data && Array.isArray(data.unreadable)
    ? data.unreadable
    : []
}

/** Of a command too long for its place, lists are cut before anything else: `kubectl get pods,services,…+14 -n shop`. */
export function shortCommand(display: string, width: number): string {
  if (widthOf(display) <= width) return display
  const words = display.split(' ').map((word) => {
    const parts = word.split(',')
    return parts.length > 3 ? `${parts.slice(0, 2).join(',')},…+${parts.length - 2}` : word
  })
  return clipMiddle(words.join(' '), width)
}

/** An answer with gaps is not "looked, fine". */
export function entryMark(entry: EvidenceEntry | null): { readonly mark: Mark; readonly tone: Tone } {
  if (!entry) return { mark: 'now', tone: 'accent' }
  return entry.status === 'ok' && partsNotRead(entry).length === 0
    ? { mark: 'ok', tone: 'good' }
    : { mark: 'blind', tone: 'blind' }
}

export function timeOfDay(iso: string): string {
  return /T(\d\d:\d\d:\d\d)/.exec(iso)?.[1] ?? iso
}
