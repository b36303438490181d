import { writeNotRead } from './decision.ts'
import { forLine } from './escape.ts'
import { newPage, type Page, type PageOptions, type PageStyle } from './page.ts'
import type { ChainHop, ChainLink, ChainPart, PartState, TraceChain } from './trace-chain.ts'
import { wrap } from './wrap.ts'

const symbols: Readonly<Record<TraceChain['outcome'], string>> = {
  'reaches-app': '✓',
  breaks: '✗',
  answered: '✗',
  'cannot-decide': '?',
}
const tones: Readonly<Record<TraceChain['outcome'], PageStyle>> = {
  'reaches-app': 'good',
  breaks: 'bad',
  answered: 'bad',
  'cannot-decide': 'doubt',
}
const partTones: Readonly<Record<PartState, PageStyle | undefined>> = { ok: undefined, broken: 'bad', open: 'doubt' }

/** The chain as a drawing: one block a proxy, a line between two of them for the connection. */
export function traceChainText(chain: TraceChain, options: PageOptions = {}): string {
  const page = newPage(options)
  page.para(`${symbols[chain.outcome]} ${chain.summary}`, '', '  ', tones[chain.outcome])
  page.para(callWords(chain), '  ', '    ')
  const answer = answerWords(chain)
  if (answer !== null) page.para(answer, '  ', '    ')
  page.blank()
  for (const [index, hop] of chain.hops.entries()) {
    writeHop(page, hop)
    const next = chain.hops[index + 1]
    const link = next ? chain.links.find(({ from, to }) => from === hop.role && to === next.role) : undefined
    if (link) writeLink(page, link)
    else if (next) page.para('│', '    ')
  }
  if (chain.assumptions.length > 0) {
    page.heading('Assumed')
    for (const assumption of chain.assumptions) page.item(assumption)
  }
  writeNotRead(page, chain.notRead)
  return page.done()
}

function callWords({ call }: TraceChain): string {
  const request = call.protocol === 'tcp' ? 'connection' : `${call.method ?? 'GET'} ${call.path ?? '/'}`
  return `${request}${call.host ? ` (host ${call.host})` : ''}, ${call.from ?? 'an unknown caller'} → ${call.to ?? 'an unknown destination'}`
}

function answerWords({ caller }: TraceChain): string | null {
  if (caller === null) return null
  const parts = [
    ...(caller.status === null ? [] : [`HTTP ${caller.status}`]),
    ...(caller.flags.length > 0 ? [`flags ${caller.flags.join(',')}`] : []),
    ...(caller.details === null ? [] : [`details ${caller.details}`]),
  ]
  return parts.length === 0 ? null : `the caller's side sees: ${parts.join(', ')}`
}

const roles: Readonly<Record<ChainHop['role'], string>> = {
  client: "the caller's side",
  gateway: 'gateway',
  waypoint: 'waypoint',
  server: "the destination's side",
  app: 'application',
}

function writeHop(page: Page, hop: ChainHop): void {
  const mark = hop.state === 'broken' ? '✗' : hop.state === 'open' ? '?' : '●'
  page.para(
    `${mark} ${hop.name} · ${roles[hop.role]}${hop.proxy && hop.proxy !== hop.role ? `, ${hop.proxy}` : ''}`,
    '  ',
    '    ',
    'bold',
  )
  for (const [index, part] of hop.parts.entries()) writePart(page, part, index === hop.parts.length - 1)
}

const nameWidth = 10

function writePart(page: Page, part: ChainPart, isLast: boolean): void {
  const branch = isLast ? '└ ' : '├ '
  const rest = isLast ? '  ' : '│ '
  const mark = part.state === 'broken' ? '✗ ' : part.state === 'open' ? '? ' : ''
  const head = `  ${branch}${part.kind.padEnd(nameWidth)} `
  const indent = `  ${rest}${' '.repeat(nameWidth)} `
  page.para(`${mark}${part.text}`, head, indent, partTones[part.state])
  if (part.why !== null) page.para(part.why, indent, indent, partTones[part.state])
  if (part.from !== null) page.para(`← ${part.from}`, indent, `${indent}  `, 'dim')
}

/** A connection is drawn as a line that says what runs over it; it is cut where it fails. */
function writeLink(page: Page, link: ChainLink): void {
  const { sends, accepts, state } = link
  const line = state === 'broken' ? '╳' : state === 'open' ? '?' : '│'
  page.para('│', '    ')
  const sent = sends ? `sends ${sends.what}: ${sends.why}` : 'what is sent is not known'
  const taken = accepts ? `accepts ${accepts.why}` : 'what is accepted is not known'
  side(page, line, sent, state)
  side(page, line, taken, state)
  side(page, line, `${state === 'broken' ? 'fails' : state === 'open' ? 'not decided' : 'fits'}: ${link.why}`, state)
  page.para(state === 'broken' ? '' : '▼', '    ')
}

function side(page: Page, line: string, text: string, state: PartState): void {
  for (const [index, part] of wrap(forLine(text), page.width - 8).entries())
    page.row(`    ${line} ${index === 0 ? '' : '  '}${part}`, partTones[state])
}
