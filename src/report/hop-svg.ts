import type { Note } from '../model/note.ts'
import { forHtml } from './escape.ts'
import { type HopBox, hopBoxes } from './hops.ts'
import { displayWidth, truncate, wrap } from './wrap.ts'

const boxWidth = 150
const boxHeight = 52
const gap = 62
const remarkLine = 15
const remarkRoom = 24

/** The call's way as inline SVG. Colours come from the page's CSS, meaning also from the marks on the edges. */
export function hopSvg(note: Note, direction: 'across' | 'down'): string {
  const boxes = hopBoxes(note)
  if (boxes.length === 0) return ''
  const title = boxes.map((box) => `${box.label}${box.state === 'broken' ? ' (broken here)' : ''}`).join(', then ')
  const { body, width, height } = direction === 'across' ? across(boxes) : down(boxes)
  return [
    `<svg class="hops ${direction}" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${forHtml(title)}">`,
    body,
    '</svg>',
  ].join('\n')
}

function across(boxes: readonly HopBox[]) {
  const remarks = boxes.map((box) => underLines(box, remarkRoom))
  const rows = Math.max(0, ...remarks.map((lines) => lines.length))
  const body = boxes.map((box, index) => {
    const x = index * (boxWidth + gap)
    const under = (remarks[index] ?? []).map((line, row) =>
      textAt(x + boxWidth / 2, boxHeight + 20 + row * remarkLine, line, `remark ${box.state}`, 'middle'),
    )
    const edge = index === 0 ? '' : edgeBetween(x - gap, boxHeight / 2, x - 4, boxHeight / 2, box)
    return [edge, boxAt(x, 0, box), ...under].join('\n')
  })
  const width = boxes.length * (boxWidth + gap) - gap + 2
  return { body: body.join('\n'), width, height: boxHeight + 8 + rows * remarkLine + (rows > 0 ? 8 : 0) }
}

function down(boxes: readonly HopBox[]) {
  const step = boxHeight + 34
  const body = boxes.map((box, index) => {
    const y = index * step
    const beside = underLines(box, remarkRoom - 4).slice(0, 4)
    const first = y + boxHeight / 2 + 4 - ((beside.length - 1) * remarkLine) / 2
    const lines = beside.map((line, row) =>
      textAt(boxWidth + 10, first + row * remarkLine, line, `remark ${box.state}`, 'start'),
    )
    const edge = index === 0 ? '' : edgeBetween(boxWidth / 2, y - 34, boxWidth / 2, y - 4, box)
    return [edge, boxAt(0, y, box), ...lines].join('\n')
  })
  return { body: body.join('\n'), width: boxWidth + 160, height: boxes.length * step - 32 }
}

function underLines(box: HopBox, room: number): readonly string[] {
  const remark = box.remark === null ? [] : wrap(truncate(box.remark, room * 4), room)
  return box.answered ? ['▲ answered here', ...remark] : remark
}

function boxAt(x: number, y: number, box: HopBox): string {
  const middle = x + boxWidth / 2
  // Some 7 px a character in a box of 150.
  const label = displayWidth(box.label) > 20 ? `${[...box.label].slice(0, 19).join('')}…` : box.label
  return [
    `<g><title>${forHtml(box.label)}</title>`,
    `<rect class="box ${box.state}${box.answered ? ' answered' : ''}" x="${x + 1}" y="${y + 1}" width="${boxWidth - 2}" height="${boxHeight - 2}" rx="6"/>`,
    textAt(middle, y + 22, label, 'label', 'middle'),
    textAt(middle, y + 40, box.kind === box.label ? '' : box.kind, 'kind', 'middle'),
    '</g>',
  ].join('')
}

function edgeBetween(x1: number, y1: number, x2: number, y2: number, box: HopBox): string {
  const head =
    x1 === x2
      ? `M${x2 - 5} ${y2 - 7}L${x2} ${y2}L${x2 + 5} ${y2 - 7}`
      : `M${x2 - 7} ${y2 - 5}L${x2} ${y2}L${x2 - 7} ${y2 + 5}`
  const [x, y] = [(x1 + x2) / 2 - 2, (y1 + y2) / 2]
  const mark =
    box.state === 'broken'
      ? `<path class="cross" d="M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x + 7} ${y - 7}L${x - 7} ${y + 7}"/>`
      : box.state === 'blind'
        ? textAt(x, y - 6, '?', 'remark blind', 'middle')
        : ''
  return `<path class="edge ${box.state}" d="M${x1 + (x1 === x2 ? 0 : 2)} ${y1}L${x2} ${y2}${head}"/>${mark}`
}

function textAt(x: number, y: number, text: string, className: string, anchor: 'middle' | 'start'): string {
  return text === ''
    ? ''
    : `<text class="${className}" x="${x}" y="${y}" text-anchor="${anchor}">${forHtml(text)}</text>`
}
