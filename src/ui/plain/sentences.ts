import type { Diagnosis } from '../../model/diagnosis.ts'
import type { RunEvent, RunState } from '../../model/run.ts'
import type { ClusterFacts, Explanation, Paste, WorkloadItem } from '../ports.ts'
import { verdictWord } from '../view/diagnosis.ts'
import { hopSentences } from '../view/hops.ts'
import { shortIds } from '../view/ids.ts'
import { decidingCommand } from '../view/moves.ts'
import { railRows } from '../view/rail.ts'
import {
  callText,
  count,
  reasonText,
  shortCommand,
  symptomWords,
  timeOfDay,
  took,
  unlockText,
} from '../view/wording.ts'

/** The same content as the screens, as sentences: one line each, nothing redrawn, no symbol without its word. */
export function eventSentences(event: RunEvent, before: RunState, after: RunState): string[] {
  const idOf = shortIds(after)
  switch (event.type) {
    case 'run-started':
      return [
        `Symptom ${symptomWords[event.given.symptom]}, ${callText(after)}. ${count(event.plan.length, 'layer')} to look at.`,
        ...(event.mode === 'replay' ? ['This is a recorded session: nothing is run.'] : []),
      ]
    case 'ground-learned': {
      const { context, controlPlane, dataPlaneMode } = event.ground
      return [
        `Cluster ${context ?? 'without a name'}, istio ${controlPlane.join(', ') || 'unknown'}, data plane ${dataPlaneMode}.`,
      ]
    }
    case 'call-resolved': {
      const known = new Set(hopSentences(before.call?.hops ?? []))
      return hopSentences(event.call.hops).filter((sentence) => !known.has(sentence))
    }
    case 'step-started':
      return ['', `${stepName(after, event.id)}. ${event.title}`, `It shows: ${event.proves}`]
    case 'command-started':
      return [`Running: ${shortCommand(event.display, 120)}`]
    case 'command-finished':
      return commandSentences(event, idOf(event.entry.id))
    case 'evidence-understood':
      return [`For this call, ${idOf(event.id)}: ${event.learned}.`]
    case 'rule-settled':
      if (event.outcome.status !== 'fired') return []
      return event.outcome.hits.flatMap((hit) =>
        hit.about === 'aside'
          ? [`True, but not about this call: ${hit.title}.`]
          : [
              `Found: ${hit.title}. Certainty: ${hit.certainty}.`,
              ...hit.supporting.map(
                ({ entry, statement, excerpt }) =>
                  `Evidence ${idOf(entry)}: ${statement}${excerpt ? `. It printed: ${excerpt}` : ''}.`,
              ),
            ],
      )
    case 'step-finished': {
      const row = railRows(after).find(({ id }) => id === event.id)
      const words = {
        ok: 'Fine',
        bad: 'Problem',
        aside: 'True, but not the cause',
        blind: 'Could not look',
        now: 'Now',
        open: event.status === 'skipped' ? 'Skipped' : 'Nothing to ask: this call has no part in it',
      }
      const found = new Set(
        Object.values(after.outcomes).flatMap(({ outcome }) =>
          outcome.status === 'fired' ? outcome.hits.map(({ title }) => title) : [],
        ),
      )
      // Findings were said one by one already.
      const told = event.learned.filter((text) => !found.has(text))
      const word = row?.mark === 'ok' && told.length < event.learned.length ? 'Looked' : words[row?.mark ?? 'open']
      const verdict = `${stepName(after, event.id)}. ${word}${told.length > 0 ? `: ${told.join('. ')}` : ''}.`
      return [verdict, ...nextSentences(event, after)]
    }
    case 'banner':
      return event.text === null ? ['That is over.'] : [`Attention: ${event.text}. What is known stays.`]
    case 'note-added':
      return [`Note, ${timeOfDay(event.at)}: ${event.text}`]
    case 'diagnosed':
      return ['', ...diagnosisSentences(event.diagnosis, idOf)]
    case 'retested': {
      const words = { fixed: 'fixed', changed: 'changed', same: 'still the same', blind: 'could not look' }
      return [`Retest at ${timeOfDay(event.at)}: ${words[event.result]}. ${event.statement}`]
    }
    case 'step-left-out': {
      const left = before.plan.find(({ id }) => id === event.id)
      return left ? [`Left out: ${left.label}. Nothing to ask: this call has no part in it.`] : []
    }
    case 'question-asked':
    case 'question-answered':
    case 'run-finished':
      return []
  }
}

function stepName(state: RunState, id: string): string {
  const rows = railRows(state)
  const at = rows.findIndex((row) => row.id === id)
  return `Step ${at + 1} of ${rows.length}, ${rows[at]?.label ?? id}`
}

function commandSentences({ entry, learned }: Extract<RunEvent, { type: 'command-finished' }>, id: string): string[] {
  if (entry.status === 'ok') return [`Result ${id}, ${took(entry.durationMs)}: ${learned || 'read'}.`]
  const why = [reasonText(entry.reason), entry.detail].filter(Boolean).join(': ')
  return [`Could not look, ${id}: ${why}.`, ...(entry.unlock ? [capital(`${unlockText(entry)}.`)] : [])]
}

function nextSentences({ next }: Extract<RunEvent, { type: 'step-finished' }>, state: RunState): string[] {
  if (!next) return []
  const label =
    next.step === 'diagnosis' ? 'diagnosis' : (state.plan.find(({ id }) => id === next.step)?.label ?? next.title)
  return [
    `Next: ${label}. Why: ${next.because.replace(/\.$/, '')}.`,
    ...(next.command ? [`Its command: ${next.command}`] : []),
  ]
}

export function diagnosisSentences(diagnosis: Diagnosis, idOf: (entry: string) => string): string[] {
  const { answeredBy, causes, ruledOut, notChecked, otherFindings, nextSteps } = diagnosis
  const suspects = diagnosis.verdict === 'suspects'
  const decides = decidingCommand(diagnosis)
  const who =
    answeredBy.hop === 'unknown' ? 'not known' : `${answeredBy.hop.replace('-', ' ')}, ${answeredBy.certainty}`
  return [
    `Diagnosis, ${verdictWord(diagnosis)}: ${diagnosis.summary.replace(/\.$/, '')}.`,
    ...causes.flatMap((cause, index) => [
      `${suspects ? 'Suspect' : 'Cause'} ${index + 1} of ${causes.length}: ${cause.title}. ${cause.statement} Certainty: ${cause.certainty}.`,
      ...cause.supporting.map(
        ({ entry, statement, excerpt }) =>
          `Speaks for it, ${idOf(entry)}: ${statement}${excerpt ? `. It printed: ${excerpt}` : ''}.`,
      ),
      ...cause.contradicting.map(({ entry, statement }) => `Speaks against it, ${idOf(entry)}: ${statement}.`),
      ...(suspects && cause.wouldDecide
        ? [`This decides: ${cause.wouldDecide.command}`, `Because ${cause.wouldDecide.why}.`]
        : []),
      ...(suspects
        ? []
        : [
            `Smallest move: ${cause.fix.statement}. Touches: ${cause.fix.scope}. Risk: ${cause.fix.risk}. Undo: ${cause.fix.undo}.`,
          ]),
      ...(suspects ? [] : cause.fix.commands.map((command) => `Shown, never run: ${command}`)),
      ...(suspects ? [] : [`Check: ${cause.verify.command}`, `Expect: ${cause.verify.expect}.`]),
    ]),
    `Answered by: ${who}. ${answeredBy.because}`,
    ...ruledOut.map(({ code, because }) => `Ruled out: ${code}, ${because}.`),
    ...otherFindings.map(({ title }) => `Also true, but not the cause: ${title}.`),
    ...notChecked.map(
      ({ what, reason, unlock }) => `Not looked at: ${what}, ${reason}.${unlock ? ` To see it: ${unlock}` : ''}`,
    ),
    ...nextSteps.map(
      ({ statement, because, command }) => `Next: ${[statement, because, command].filter(Boolean).join('. ')}`,
    ),
    ...(causes.length === 0 && decides && nextSteps.length === 0 ? [`Next: ${decides}`] : []),
  ]
}

export function clusterSentence(facts: ClusterFacts): string {
  if (!facts.reachable)
    return `No cluster answers${facts.why ? `: ${facts.why}` : ''}. Demos, recordings, archives and pasted text work without one.`
  return `Cluster: context ${facts.context ?? 'without a name'}, istio ${facts.istio ?? 'version unknown'}.`
}

export function itemSentence(item: WorkloadItem): string {
  const name = item.namespace ? `${item.name}.${item.namespace}` : item.name
  const proxy = { sidecar: 'sidecar', ambient: 'ambient', none: 'no proxy', gateway: 'gateway', unknown: null }[
    item.proxy
  ]
  const ports = item.ports.length > 0 ? `ports ${item.ports.map(({ port }) => port).join(' ')}` : null
  const pods = item.pods === null ? null : `${item.ready ?? '?'} of ${item.pods} pods ready`
  const parts = [name, item.kind, ports, pods, proxy, item.restarts].filter((part) => part !== null)
  const said = parts.join(', ')
  return item.suspicious && !said.includes(item.suspicious) ? `${said}, ${item.suspicious}` : said
}

export function explanationSentences({ title, layer, sentences, lookNext, myth }: Explanation): string[] {
  return [
    `${title}${layer ? `, layer ${layer}` : ''}.`,
    ...sentences,
    ...lookNext.map(({ command, why }) => `Look next: ${why}${command ? `: ${command}` : ''}`),
    ...(myth ? [`Often got wrong: ${myth}.`] : []),
  ]
}

export function pasteSentences(paste: Paste, known: readonly string[]): string[] {
  return [
    `This is ${paste.kind}. ${paste.sentence}`,
    ...paste.details,
    ...(known.length > 0 ? [`Known from it: ${known.join(', ')}.`] : []),
  ]
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
