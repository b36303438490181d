import { displayCommand } from '../model/command.ts'
import type { Cause } from '../model/diagnosis.ts'
import type { EvidenceEntry, Quote } from '../model/evidence.ts'
import {
  type Note,
  type NoteCause,
  type NoteEvidence,
  type NoteStep,
  noteSchemaId,
  noteSchemaVersion,
  orderNote,
} from '../model/note.ts'
import type { CommandState, RunState } from '../model/run.ts'

export interface NoteMeta {
  readonly id: string
  readonly tool: { readonly name: string; readonly version: string }
  readonly context: string | null
  readonly redaction: Note['redaction']
  readonly session: { readonly folder: string } | null
  /** Used when the walk has no times of its own. */
  readonly now: string
}

/** The result of a walk as one document. The same run gives the same note, whatever order its commands ended in. */
export function toNote(state: RunState, meta: NoteMeta): Note {
  const { diagnosis, ground, call, given } = state
  const commands = inOrder(state)
  const evidence = numberEvidence(state, commands)
  const ids = (quotes: readonly Quote[]) => [...new Set(quotes.flatMap((quote) => evidence.idOf(quote) ?? []))]
  const startedAt = state.startedAt ?? meta.now
  const finishedAt = state.finishedAt
  return orderNote({
    $schema: noteSchemaId,
    kind: 'IncidentNote',
    schemaVersion: noteSchemaVersion,
    id: meta.id,
    mode: state.mode,
    startedAt,
    finishedAt,
    durationMs: Math.max(0, Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt)),
    tool: meta.tool,
    cluster: {
      context: meta.context ?? ground?.context ?? null,
      kubernetesVersion: ground?.kubernetesVersion ?? null,
      istio: {
        client: ground?.istioClient ?? null,
        controlPlane: [...(ground?.controlPlane ?? [])],
        dataPlane: [...(ground?.dataPlane ?? [])],
      },
      dataPlaneMode: ground?.dataPlaneMode ?? 'unknown',
    },
    symptom: {
      id: given?.symptom ?? 'unknown',
      title: state.runbook?.title ?? 'unknown',
      given: whatWasSaid(state),
      observed: (diagnosis?.observed ?? []).map((quote) => ({ statement: quote.statement, evidence: ids([quote]) })),
    },
    call: {
      from: call?.from ?? null,
      to: call?.to ?? null,
      host: call?.host ?? null,
      port: call?.port ?? null,
      method: call?.method ?? null,
      path: call?.path ?? null,
      protocol: call?.protocol ?? null,
      hops: (call?.hops ?? []).map((hop) => ({ ...hop })),
      ...(call && call.assumptions.length > 0 ? { assumptions: [...call.assumptions] } : {}),
    },
    answeredBy: diagnosis
      ? {
          hop: diagnosis.answeredBy.hop,
          certainty: diagnosis.answeredBy.certainty,
          because: diagnosis.answeredBy.because,
          evidence: ids(diagnosis.answeredBy.evidence),
        }
      : { hop: 'unknown', certainty: 'possible', because: 'the walk did not come to an end', evidence: [] },
    verdict: diagnosis?.verdict ?? 'inconclusive',
    summary: diagnosis?.summary ?? 'The walk did not come to an end.',
    causes: (diagnosis?.causes ?? []).map((cause) => noteCause(cause, ids)),
    ruledOut: (diagnosis?.ruledOut ?? []).map(({ code, layer, because, evidence: quotes }) => ({
      code,
      layer,
      because,
      evidence: ids(quotes),
    })),
    notChecked: (diagnosis?.notChecked ?? []).map((gap) => ({ ...gap })),
    otherFindings: (diagnosis?.otherFindings ?? []).map(
      ({ code, layer, title, statement, severity, subject, supporting }) => ({
        code,
        layer,
        title,
        statement,
        severity,
        subject,
        evidence: ids(supporting),
      }),
    ),
    steps: noteSteps(state, commands, evidence.ofEntry),
    evidence: evidence.list,
    nextSteps: (diagnosis?.nextSteps ?? []).map((step) => ({ ...step })),
    timeline: timelineOf(state),
    followUps: state.notes.map(({ text }) => ({ statement: text })),
    redaction: meta.redaction,
    session: meta.session,
  })
}

/** Commands end in any order; the note lists them by step and by what they are about. */
function inOrder(state: RunState): readonly (CommandState & { readonly entry: EvidenceEntry })[] {
  const stepOrder = new Map(state.steps.map(({ id }, index) => [id, index]))
  const place = (command: CommandState) => stepOrder.get(command.step) ?? state.steps.length
  return state.commands
    .filter((command): command is CommandState & { entry: EvidenceEntry } => command.entry !== null)
    .sort((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

interface NumberedEvidence {
  readonly list: NoteEvidence[]
  readonly idOf: (quote: Quote) => string | null
  readonly ofEntry: (entry: string) => readonly string[]
}

function numberEvidence(
  state: RunState,
  commands: readonly (CommandState & { readonly entry: EvidenceEntry })[],
): NumberedEvidence {
  const quotes = allQuotes(state)
  const keyOf = ({ entry, statement, excerpt, line }: Quote) =>
    JSON.stringify([entry, statement, excerpt, line ?? null])
  const list: NoteEvidence[] = []
  const byQuote = new Map<string, string>()
  const byEntry = new Map<string, string[]>()
  const version = (tool: string) => (tool === 'istioctl' ? (state.ground?.istioClient ?? null) : null)
  const add = (entry: EvidenceEntry, statement: string, excerpt: string | null, line: number | undefined): string => {
    const id = `E${list.length + 1}`
    const { file } = entry.command
    list.push({
      id,
      statement,
      source: {
        command: displayCommand(entry.command),
        tool: file,
        version: version(file),
        ...(line === undefined ? {} : { line }),
        excerpt,
      },
      subject: entry.subject,
      at: entry.at,
      status: entry.status,
      ...(entry.status === 'missing' ? { reason: entry.reason ?? 'other' } : {}),
    })
    byEntry.set(entry.id, [...(byEntry.get(entry.id) ?? []), id])
    return id
  }
  for (const { entry, learned } of commands) {
    const own = quotes
      .filter((quote) => quote.entry === entry.id)
      .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.statement < b.statement ? -1 : 1))
    for (const quote of own) {
      const key = keyOf(quote)
      if (!byQuote.has(key)) byQuote.set(key, add(entry, quote.statement, quote.excerpt, quote.line))
    }
    // What nobody quoted is still evidence: that it was looked at and what it said in a word, or why it could not be.
    if (own.length === 0)
      add(
        entry,
        entry.status === 'missing'
          ? `could not be read: ${entry.detail ?? entry.reason ?? 'no reason known'}`
          : (learned ?? 'was read'),
        null,
        undefined,
      )
  }
  for (const quote of quotes) {
    if (quote.entry !== 'given' || byQuote.has(keyOf(quote))) continue
    const id = `E${list.length + 1}`
    list.push({
      id,
      statement: quote.statement,
      source: {
        command: 'given by the person',
        tool: 'person',
        version: null,
        ...(quote.line === undefined ? {} : { line: quote.line }),
        excerpt: quote.excerpt,
      },
      subject: 'what was pasted',
      at: state.startedAt ?? '1970-01-01T00:00:00Z',
      status: 'ok',
    })
    byQuote.set(keyOf(quote), id)
  }
  return { list, idOf: (quote) => byQuote.get(keyOf(quote)) ?? null, ofEntry: (entry) => byEntry.get(entry) ?? [] }
}

function allQuotes({ diagnosis }: RunState): readonly Quote[] {
  if (!diagnosis) return []
  return [
    ...diagnosis.causes.flatMap(({ supporting, contradicting }) => [...supporting, ...contradicting]),
    ...diagnosis.otherFindings.flatMap(({ supporting }) => supporting),
    ...diagnosis.ruledOut.flatMap(({ evidence }) => evidence),
    ...diagnosis.answeredBy.evidence,
    ...diagnosis.observed,
  ]
}

function noteCause(cause: Cause, ids: (quotes: readonly Quote[]) => string[]): NoteCause {
  const { code, layer, title, statement, certainty, subject, severity, wouldDecide, verify, seeAlso } = cause
  return {
    code,
    layer,
    title,
    statement,
    certainty,
    subject,
    severity,
    bites: cause.about === 'next' ? 'next' : 'now',
    supporting: ids(cause.supporting),
    contradicting: ids(cause.contradicting),
    wouldDecide: wouldDecide === null ? null : { ...wouldDecide },
    fix: { ...cause.fix, commands: [...cause.fix.commands] },
    verify: { ...verify },
    seeAlso: [...seeAlso],
  }
}

function noteSteps(
  state: RunState,
  commands: readonly (CommandState & { readonly entry: EvidenceEntry })[],
  evidenceOf: (entry: string) => readonly string[],
): NoteStep[] {
  return state.steps.map((step, index) => {
    const own = commands.filter((command) => command.step === step.id)
    const learned =
      step.learned.length > 0
        ? step.learned.join(' ')
        : own
            // The same question to several pods: whose answer each is.
            .filter(({ learned: text }) => text)
            .map(({ learned: text, subject }, at, told) => {
              const isSaid = !subject.startsWith('pod ') || told[at - 1]?.subject === subject
              return isSaid ? text : `${subject.slice(4)}: ${text}`
            })
            .join('; ')
    return {
      n: index + 1,
      layer: step.layer,
      title: step.title,
      commands: [...new Set(own.map(({ display }) => display))],
      status: step.status === 'running' ? 'skipped' : step.status,
      evidence: own.flatMap(({ id }) => evidenceOf(id)),
      learned,
      next:
        step.next === null ? null : { layer: step.next.layer, because: step.next.because, command: step.next.command },
    }
  })
}

function whatWasSaid({ given, answers }: RunState): Record<string, unknown> {
  if (!given) return {}
  const said: Record<string, unknown> = {
    from: given.from?.text,
    to: given.to?.text,
    host: given.host,
    method: given.method,
    path: given.path,
    // Values of headers may be credentials; that a header was sent is what matters.
    headers: given.headers.length > 0 ? given.headers.map(([name]) => name) : null,
    jwtClaims: given.jwtClaims,
    logLines: given.logText === null ? null : given.logText.split('\n').filter((line) => line.trim() !== '').length,
    curl: given.curlText === null ? null : true,
    since: given.since,
    noExec: given.noExec || null,
    answers: Object.keys(answers).length > 0 ? answers : null,
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null && value !== undefined))
}

function timelineOf(state: RunState): Note['timeline'] {
  const entries = [
    ...state.notes.map(({ at, text }) => ({ at, statement: text })),
    ...state.retests.map(({ at, result, statement }) => ({ at, statement: `retest, ${result}: ${statement}` })),
  ]
  return entries.sort((a, b) => (a.at < b.at ? -1 : 1))
}
