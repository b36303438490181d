import type { Hop } from '../../model/call.ts'
import { clipLine, type Line, line, lineWidth, padLine, type Span, span } from '../lines.ts'
import { type Mark, markTones, symbols } from '../theme.ts'
import { clipMiddle, widthOf } from '../width.ts'

const marks: Readonly<Record<Hop['state'], Mark>> = { unknown: 'open', ok: 'ok', broken: 'bad', blind: 'blind' }

/** Where the call breaks: between two hops that both object, or at the one that does. */
function breakBetween(hops: readonly Hop[], index: number): boolean {
  return hops[index]?.state === 'broken' && hops[index + 1]?.state === 'broken'
}

function isBeyondBreak(hops: readonly Hop[], index: number): boolean {
  return hops.slice(0, index + 1).some(({ state }) => state === 'broken') && hops[index + 1]?.state !== 'broken'
}

function label(hop: Hop, width: number): Span[] {
  const mark = marks[hop.state]
  const text = clipMiddle(hop.label, Math.max(4, width - 2))
  const tone = hop.state === 'broken' ? 'bad' : hop.state === 'unknown' ? 'dim' : 'plain'
  return [span(`${symbols[mark]} `, markTones[mark]), span(text, tone)]
}

function arrow(hops: readonly Hop[], index: number): Span {
  if (breakBetween(hops, index)) return span(' ──✗──► ', 'bad')
  if (isBeyondBreak(hops, index)) return span(' ╌╌► ', 'dim')
  return hops[index + 1]?.state === 'unknown' ? span(' ──► ', 'dim') : span(' ──► ')
}

/** The call as one picture; it wraps to a second row of hops before it loses names. Always two lines a row: hops, remarks. */
function row(hops: readonly Hop[], from: number, to: number, labelWidth: number): { hops: Line; remarks: Line } {
  let top: Line = from > 0 ? [span('  └► ', 'dim')] : []
  let under: Line = []
  for (let index = from; index < to; index++) {
    const hop = hops[index]
    if (!hop) continue
    const start = lineWidth(top)
    const end =
      start + lineWidth(label(hop, labelWidth)) + (index + 1 < hops.length ? widthOf(arrow(hops, index).text) : 0)
    top = [...top, ...label(hop, labelWidth)]
    if (index + 1 < to) top = [...top, arrow(hops, index)]
    // The row below begins with an arrow; only a break has to stand in both.
    else if (to < hops.length && breakBetween(hops, index)) top = [...top, span(' ──✗', 'bad')]
    if (hop.remark) {
      // A remark may use the room up to the next hop's remark.
      const next = hops.slice(index + 1, to).findIndex(({ remark }) => remark !== null)
      const room = next === 0 ? end - start - 3 : Number.POSITIVE_INFINITY
      const tone = hop.state === 'broken' ? 'bad' : hop.state === 'blind' ? 'blind' : 'dim'
      under = [
        ...padLine(under, start + 2),
        span(room === Number.POSITIVE_INFINITY ? hop.remark : clipMiddle(hop.remark, room), tone),
      ]
    }
  }
  return { hops: top, remarks: under }
}

export function hopPicture(hops: readonly Hop[], width: number): Line[] {
  if (hops.length === 0) return []
  if (width < 56) return hopList(hops, width)
  const short = hops.map((hop) => ({ ...hop, label: withoutPodSuffix(hop.label) }))
  for (const [shown, labelWidth] of [
    [hops, 40],
    [short, 40],
    [short, 22],
  ] as const) {
    const whole = row(shown, 0, hops.length, labelWidth)
    if (lineWidth(whole.hops) <= width) return compact([whole], width)
  }
  const half = Math.ceil(hops.length / 2)
  return compact([row(short, 0, half, 30), row(short, half, hops.length, 30)], width)
}

/** `web-8c495b54b-q859f's proxy` → `web's proxy`: which pod it was stands with the evidence. */
function withoutPodSuffix(label: string): string {
  return label.replace(/-[a-f0-9]{6,10}-[a-z0-9]{5}\b/, '')
}

function compact(rows: readonly { hops: Line; remarks: Line }[], width: number): Line[] {
  return rows.flatMap(({ hops, remarks }) =>
    remarks.length > 0 ? [clipLine(hops, width), clipLine(remarks, width)] : [clipLine(hops, width)],
  )
}

/** For narrow terminals: one hop a line, the remark behind it. */
export function hopList(hops: readonly Hop[], width: number): Line[] {
  return hops.flatMap((hop, index) => {
    const remark = hop.remark ? [span(`  ${hop.remark}`, hop.state === 'broken' ? 'bad' : 'dim')] : []
    const lines: Line[] = [clipLine([...label(hop, 24), ...remark], width)]
    if (breakBetween(hops, index)) lines.push(line(span('  ✗ breaks here', 'bad')))
    return lines
  })
}

/** For screens that are low as well: all hops in one line, and the name of the one that matters. */
export function hopStrip(hops: readonly Hop[], width: number): Line[] {
  if (hops.length === 0) return []
  const here = hops.find(({ state }) => state === 'broken') ?? hops.findLast(({ state }) => state !== 'unknown')
  const chain = hops.flatMap((hop, index): Span[] => {
    const mark = marks[hop.state]
    const joint = span(breakBetween(hops, index - 1) ? '✗' : '─', breakBetween(hops, index - 1) ? 'bad' : 'dim')
    return [...(index > 0 ? [joint] : []), span(symbols[mark], markTones[mark])]
  })
  if (!here) return [clipLine([...chain, span(`  ${hops.map((hop) => hop.label).join(' → ')}`, 'dim')], width)]
  const remark = here.remark ? ` ${here.remark}` : ''
  const room = Math.max(8, width - lineWidth(chain) - 2 - widthOf(remark))
  const name = clipMiddle(withoutPodSuffix(here.label), room)
  return [clipLine([...chain, span(`  ${name}${remark}`, here.state === 'broken' ? 'bad' : 'plain')], width)]
}

/** In words, for plain mode. */
export function hopSentences(hops: readonly Hop[]): string[] {
  const words: Readonly<Record<Hop['state'], string>> = {
    unknown: 'not looked at yet',
    ok: 'fine',
    broken: 'broken here',
    blind: 'could not look',
  }
  return hops.map((hop, index) => {
    const remark = hop.remark ? `, ${hop.remark}` : ''
    return `Hop ${index + 1} of ${hops.length}: ${hop.label}, ${words[hop.state]}${remark}.`
  })
}
