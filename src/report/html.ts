import type { Note, NoteCause, NoteEvidence } from '../model/note.ts'
import { forHtml, forTerminal } from './escape.ts'
import { hopSvg } from './hop-svg.ts'
import { htmlStyle } from './html-style.ts'
import {
  callLine,
  certaintyOf,
  certaintyWords,
  clusterLine,
  effectWords,
  evidenceOf,
  excerptOf,
  headline,
  hopWords,
  redactionLine,
  runLine,
  stepSymbols,
  verdictSymbols,
  verdictWords,
} from './words.ts'
import { truncate } from './wrap.ts'

const tones = { cause: 'bad', suspects: 'doubt', clean: 'good', inconclusive: 'doubt' } as const

/** The note as one file: no scripts, nothing loaded from anywhere, light and dark, fit for printing. */
export function html(note: Note): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<title>${forHtml(truncate(headline(note), 120))}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
${[
  answer(note),
  facts(note),
  hopBox(note),
  causes(note),
  whoAnswered(note),
  list(
    'Ruled out',
    note.ruledOut.map(
      (entry) => `<code>${forHtml(entry.code)}</code> ${forHtml(entry.because)}${details(note, entry.evidence)}`,
    ),
  ),
  list(
    'Not checked',
    note.notChecked.map(
      (entry) =>
        `<strong>${forHtml(entry.what)}</strong> <span class="badge">${entry.layer}</span> ${forHtml(entry.reason)}${entry.unlock === '' ? '' : `<br>To unlock: <code>${forHtml(entry.unlock)}</code>`}`,
    ),
  ),
  list(
    'True, but not about this',
    note.otherFindings.map(
      (finding) =>
        `<code>${forHtml(finding.code)}</code> <strong>${forHtml(finding.title)}</strong> ${forHtml(finding.statement)}${details(note, finding.evidence)}`,
    ),
  ),
  list('Next', note.nextSteps.map(nextStep)),
  steps(note),
  evidenceList(note),
  list(
    'Timeline',
    note.timeline.map((entry) => `<span class="dim">${entry.at}</span> ${forHtml(entry.statement)}`),
  ),
  list(
    'Follow-ups',
    note.followUps.map(
      (entry) =>
        `${forHtml(entry.statement)}${entry.owner ? ` <span class="badge">${forHtml(entry.owner)}</span>` : ''}`,
    ),
  ),
  footer(note),
]
  .filter((part) => part !== '')
  .join('\n')}
</main>
</body>
</html>
`
}

function answer(note: Note): string {
  const certainty = certaintyOf(note)
  return `<section class="answer ${tones[note.verdict]}">
<div class="kind">${verdictSymbols[note.verdict]} ${verdictWords[note.verdict]}${certainty ? `, ${certainty}` : ''}</div>
<h1>${forHtml(note.verdict === 'cause' ? headline(note) : note.summary)}</h1>
${note.verdict === 'cause' ? `<p class="summary">${forHtml(note.summary)}</p>` : ''}
</section>`
}

function facts(note: Note): string {
  const seen = note.symptom.observed
    .map((entry) => `${forHtml(entry.statement)}${references(entry.evidence)}`)
    .join('<br>')
  const rows = [
    ['Symptom', forHtml(note.symptom.title)],
    ['Call', forHtml(callLine(note))],
    ['Seen', seen],
    ['Cluster', forHtml(clusterLine(note))],
    ['Run', forHtml(runLine(note))],
  ]
  return `<dl>${rows.map(([term, value]) => (value === '' ? '' : `<dt>${term}</dt><dd>${value}</dd>`)).join('')}</dl>`
}

function hopBox(note: Note): string {
  const count = note.call.hops.length
  if (count === 0) return ''
  // Beyond five boxes a row would shrink until nobody can read it.
  if (count > 5) return `<div class="hopbox long">${hopSvg(note, 'down')}</div>`
  return `<div class="hopbox">${hopSvg(note, 'across')}${hopSvg(note, 'down')}</div>`
}

function causes(note: Note): string {
  if (note.causes.length === 0) return ''
  const suspects = note.verdict === 'suspects'
  const title = suspects ? 'Suspects' : note.causes.length > 1 ? 'Causes, in the order in which they bite' : 'Why'
  const boxes = note.causes.map((cause, index) =>
    causeBox(note, cause, suspects ? String.fromCharCode(65 + (index % 26)) : null),
  )
  return `<h2>${title}</h2>\n<div class="causes${suspects ? ' suspects' : ''}">\n${boxes.join('\n')}\n</div>`
}

function causeBox(note: Note, cause: NoteCause, letter: string | null): string {
  const decider = cause.wouldDecide
    ? `<h4>This would decide</h4><p>${forHtml(cause.wouldDecide.why)}</p>${command(cause.wouldDecide.command)}`
    : ''
  const seeAlso = cause.seeAlso.map((code) => `<code>${forHtml(code)}</code>`).join(' ')
  return `<article class="cause">
<h3>${letter === null ? (cause.bites === 'next' ? 'Next, once that is fixed: ' : '') : `${letter}: `}${forHtml(cause.title)}</h3>
<p><span class="badge">${certaintyWords[cause.certainty]}</span> <span class="badge">${cause.layer}</span> <code>${forHtml(cause.code)}</code></p>
<p>${forHtml(cause.statement)}</p>
<h4>${letter === null ? 'Proof' : 'Speaks for it'}</h4>
${evidenceOf(note, cause.supporting)
  .map((entry) => proof(entry, '', true))
  .join('\n')}
${
  cause.contradicting.length === 0
    ? ''
    : `<h4>Speaks against it</h4>\n${evidenceOf(note, cause.contradicting)
        .map((entry) => proof(entry, 'against'))
        .join('\n')}`
}
${decider}
<div class="move"><h4>${letter === null ? 'Smallest safe move' : 'Smallest safe move, if it is this'}</h4>
<p>${forHtml(cause.fix.statement)}</p>
${cause.fix.commands.map(command).join('\n')}
<p class="dim">Touches: ${forHtml(cause.fix.scope)}<br>Risk: ${forHtml(cause.fix.risk)}<br>Undo: ${forHtml(cause.fix.undo)}</p>
<h4>Check that it worked</h4>
<p>${forHtml(cause.verify.expect)}</p>
${command(cause.verify.command)}</div>
${seeAlso === '' ? '' : `<p class="dim">See also ${seeAlso}</p>`}
</article>`
}

function proof(entry: NoteEvidence, className: string, open = false): string {
  const excerpt = excerptOf(entry)
  const missing =
    entry.status === 'missing'
      ? ` <span class="badge">not read: ${forHtml(entry.reason ?? 'unknown reason')}</span>`
      : ''
  const line = entry.source.line === undefined ? '' : `, line ${entry.source.line}`
  const tool = [entry.source.tool, entry.source.version].filter((part) => part !== null && part !== '').join(' ')
  return `<details${className === '' ? '' : ` class="${className}"`}${open ? ' open' : ''}><summary>${forHtml(entry.statement)}${missing} <span class="dim">${forHtml(entry.id)}</span></summary>
${excerpt === null ? '' : `<blockquote>${forHtml(truncate(forTerminal(excerpt), 2000))}</blockquote>`}
${entry.source.command === '' ? '' : command(entry.source.command)}
<p class="dim">${forHtml(entry.subject)} · ${entry.at}${line}${tool === '' ? '' : ` · ${forHtml(tool)}`}</p></details>`
}

function details(note: Note, ids: readonly string[]): string {
  return evidenceOf(note, ids)
    .map((entry) => proof(entry, ''))
    .join('')
}

function whoAnswered(note: Note): string {
  const { hop, certainty, because, evidence } = note.answeredBy
  return `<h2>Who answered</h2>
<p><strong>${hopWords[hop]}</strong> <span class="badge">${certaintyWords[certainty]}</span> ${forHtml(because)}</p>
${details(note, evidence)}`
}

function nextStep(step: Note['nextSteps'][number]): string {
  return `${step.statement === null ? '' : forHtml(step.statement)}${step.command === null ? '' : command(step.command)}<span class="dim">${forHtml(step.because)} (${effectWords[step.effect]})</span>`
}

function steps(note: Note): string {
  if (note.steps.length === 0) return ''
  const items = note.steps.map((step) => {
    const next = step.next ? `<p class="dim">Then ${step.next.layer}: ${forHtml(step.next.because)}</p>` : ''
    return `<li><details><summary><span class="mark ${step.status}" title="${step.status}">${stepSymbols[step.status]}</span>${step.n}. ${forHtml(step.title)} <span class="badge">${step.layer}</span> ${forHtml(step.learned)}${references(step.evidence)}</summary>${step.commands.map(command).join('')}${next}</details></li>`
  })
  return `<h2>Steps</h2>\n<ul class="steps">\n${items.join('\n')}\n</ul>`
}

function evidenceList(note: Note): string {
  if (note.evidence.length === 0) return ''
  return `<h2>Evidence</h2>\n${note.evidence.map((entry) => proof(entry, '')).join('\n')}`
}

function footer(note: Note): string {
  const session = note.session ? `<br>Raw outputs: <code>${forHtml(note.session.folder)}</code>` : ''
  return `<h2>About this note</h2>\n<p class="dim">${forHtml(redactionLine(note))}${session}<br>${forHtml(`${note.tool.name} ${note.tool.version}`)}, note ${forHtml(note.id)}, schema ${forHtml(note.schemaVersion)}</p>`
}

function list(title: string, items: readonly string[]): string {
  return items.length === 0
    ? ''
    : `<h2>${title}</h2>\n<ul>\n${items.map((item) => `<li>${item}</li>`).join('\n')}\n</ul>`
}

function command(text: string): string {
  return `<pre>${forHtml(text)}</pre>`
}

function references(ids: readonly string[]): string {
  return ids.length === 0 ? '' : ` <span class="dim">${ids.map(forHtml).join(', ')}</span>`
}
