import type { Note, NoteCause, NoteEvidence } from '../model/note.ts'
import { forLine } from './escape.ts'

export const verdictSymbols: Readonly<Record<Note['verdict'], string>> = {
  cause: '✗',
  suspects: '?',
  clean: '✓',
  inconclusive: '?',
}

export const verdictWords: Readonly<Record<Note['verdict'], string>> = {
  cause: 'Cause found',
  suspects: 'Suspects, not decided yet',
  clean: 'Nothing found, and everything needed was looked at',
  inconclusive: 'Inconclusive: something needed could not be looked at',
}

/** What stands above a cause: a candidate, the one cause, or its place in the order. */
export function causeName({ verdict, causes }: Note, cause: NoteCause, index: number): string {
  if (cause.bites === 'next') return 'Next, once that is fixed'
  if (verdict === 'suspects') return `Suspect ${String.fromCharCode(65 + (index % 26))}`
  return causes.filter(({ bites }) => bites !== 'next').length > 1 ? `Cause ${index + 1}` : 'Why'
}

export const certaintyWords = {
  proven: 'proven',
  likely: 'likely, not proven',
  possible: 'possible, not proven',
} as const

export const hopWords: Readonly<Record<Note['answeredBy']['hop'], string>> = {
  app: 'the application',
  'server-proxy': "the server's proxy",
  'client-proxy': "the client's proxy",
  gateway: 'the gateway',
  'egress-gateway': 'the egress gateway',
  waypoint: 'the waypoint',
  ztunnel: 'ztunnel',
  external: 'something outside the mesh',
  nobody: 'nobody: no response was produced',
  unknown: 'not known',
}

/** For the middle of a sentence. */
export function answeredWords(note: Note): string {
  const { hop, certainty } = note.answeredBy
  if (hop === 'unknown') return 'who answered is not known'
  if (hop === 'nobody') return `nobody answered (${certaintyWords[certainty]})`
  return `answered by ${hopWords[hop]} (${certaintyWords[certainty]})`
}

export const stepSymbols = { ok: '✓', problem: '✗', blind: '?', skipped: '·' } as const

export const effectWords = {
  reads: 'only reads',
  'sends-traffic': 'sends traffic',
  changes: 'changes the cluster',
} as const

/** The line that answers. A single cause's title says more than the word "cause". */
export function headline(note: Note): string {
  const [first, ...more] = note.causes
  if (note.verdict !== 'cause' || !first) return verdictWords[note.verdict]
  return more.length === 0 ? first.title : `${first.title} (and ${more.length} more)`
}

/** A suspect's fix is not to be tried before the suspect is the cause. */
export function moveWords(note: Note): string {
  return note.verdict === 'suspects' ? 'Smallest safe move, if it is this' : 'Smallest safe move'
}

/** How sure the verdict is, where that means something. */
export function certaintyOf(note: Note): string | null {
  const [first] = note.causes
  return note.verdict === 'cause' && first ? certaintyWords[first.certainty] : null
}

/** `web.shop → ledger.pay:8080`, with what else is known of the request. */
export function callLine(note: Note): string {
  const { from, to, port, host, method, path, protocol } = note.call
  const target = to ?? host ?? 'an unknown destination'
  const ported = port !== null && !new RegExp(`:${port}$`).test(target) ? `${target}:${port}` : target
  const request = [method, path, protocol].filter((part) => part !== null).join(' ')
  const hostPart = host !== null && host !== to ? `host ${host}` : ''
  const more = [request, hostPart].filter((part) => part !== '').join(', ')
  return `${from ?? 'an unknown caller'} → ${ported}${more === '' ? '' : ` (${more})`}`
}

export function clusterLine(note: Note): string {
  const { context, kubernetesVersion, istio, dataPlaneMode } = note.cluster
  const control = istio.controlPlane.length > 0 ? istio.controlPlane.join(', ') : 'unknown'
  const data = istio.dataPlane.length > 0 ? `, proxies ${istio.dataPlane.join(', ')}` : ''
  return [
    context ?? 'no cluster context',
    `Istio ${control}${data}`,
    dataPlaneMode === 'unknown' ? 'data plane mode unknown' : `${dataPlaneMode} mode`,
    kubernetesVersion === null ? null : `Kubernetes ${kubernetesVersion}`,
  ]
    .filter((part) => part !== null)
    .join(' · ')
}

export function runLine(note: Note): string {
  const took =
    note.durationMs < 10_000 ? `${(note.durationMs / 1000).toFixed(1)} s` : `${Math.round(note.durationMs / 1000)} s`
  const mode = { live: 'live', replay: 'replayed from a recording', offline: 'offline, no cluster was asked' }[
    note.mode
  ]
  const commands = new Set(note.steps.flatMap((step) => step.commands)).size
  const state = note.finishedAt === null ? 'not finished' : took
  return `${note.startedAt} · ${mode} · ${state} · ${commands} ${commands === 1 ? 'command' : 'commands'}`
}

export function redactionLine(note: Note): string {
  if (!note.redaction.applied) return 'Nothing was redacted: treat this as secret.'
  const counts = Object.entries(note.redaction.counts).filter(([, count]) => count > 0)
  if (counts.length === 0) return 'Redaction was on and found nothing to remove.'
  return `Redacted: ${counts.map(([rule, count]) => `${count}× ${rule}`).join(', ')}.`
}

/** Evidence by id, in the order asked for. An id that leads nowhere is shown as that. */
export function evidenceOf(note: Note, ids: readonly string[]): readonly NoteEvidence[] {
  return ids.map((id) => note.evidence.find((entry) => entry.id === id) ?? danglingEvidence(id, note.startedAt))
}

function danglingEvidence(id: string, at: string): NoteEvidence {
  const source = { command: '', tool: '', version: null, excerpt: null }
  return { id, statement: 'this evidence is not in the note', source, subject: '', at, status: 'missing' }
}

/** The printed words, when they say more than the statement does already. */
export function excerptOf(evidence: NoteEvidence): string | null {
  const { excerpt } = evidence.source
  return excerpt === null || excerpt.trim() === '' || forLine(evidence.statement).includes(forLine(excerpt))
    ? null
    : excerpt
}
