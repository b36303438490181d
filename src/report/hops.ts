import type { Note, NoteHop } from '../model/note.ts'
import { forLine } from './escape.ts'
import { displayWidth, truncate } from './wrap.ts'

/** One box of the picture: what stands there, and what the walk learned of the way to it. */
export interface HopBox {
  readonly label: string
  readonly kind: string
  readonly state: 'unknown' | 'ok' | 'broken' | 'blind'
  readonly remark: string | null
  /** It produced the response or the reset. */
  readonly answered: boolean
}

const roleWords: Readonly<Record<string, string>> = {
  client: 'caller',
  'client-proxy': "caller's proxy",
  'ztunnel-client': "ztunnel, caller's node",
  gateway: 'gateway',
  'egress-gateway': 'egress gateway',
  waypoint: 'waypoint',
  'ztunnel-server': "ztunnel, server's node",
  'server-proxy': "server's proxy",
  app: 'application',
  external: 'outside the mesh',
}

const edges = { ok: '──►', broken: '─✗─►', blind: '─?─►', unknown: '···►' } as const

export function hopBoxes(note: Note): readonly HopBox[] {
  const answering = answeringHop(note)
  return note.call.hops.map((hop) => ({
    label: truncate(forLine(hop.label ?? labelOf(hop)), 40),
    kind: roleWords[hop.role] ?? truncate(forLine(hop.role), 22),
    state: hop.state ?? 'unknown',
    remark: hop.remark ? forLine(hop.remark) : null,
    answered: hop === answering,
  }))
}

function labelOf(hop: NoteHop): string {
  return hop.proxy ?? hop.pod ?? hop.workload ?? roleWords[hop.role] ?? hop.role
}

/** Only where one hop fits: with two ztunnels on the way, "ztunnel" alone does not say which. */
function answeringHop(note: Note): NoteHop | undefined {
  const { hop } = note.answeredBy
  const fits = note.call.hops.filter(
    ({ role }) => role === hop || (hop === 'ztunnel' && (role === 'ztunnel-client' || role === 'ztunnel-server')),
  )
  return fits.length === 1 ? fits[0] : undefined
}

/** The call from left to right; as a list where that does not fit. */
export function hopLines(note: Note, width: number): readonly string[] {
  const boxes = hopBoxes(note)
  if (boxes.length === 0) return []
  return pictureLines(boxes, width) ?? listLines(boxes)
}

function pictureLines(boxes: readonly HopBox[], width: number): readonly string[] | null {
  let top = ''
  const rows: string[] = []
  for (const [index, box] of boxes.entries()) {
    if (index > 0) top += ` ${edges[box.state]} `
    placeBelow(rows, displayWidth(top), underLabel(box))
    top += box.label
  }
  const lines = [top, ...rows]
  return rows.length <= 3 && lines.every((line) => displayWidth(line) <= width) ? lines : null
}

function underLabel(box: HopBox): string {
  return [box.answered ? '▲ answered' : null, box.remark].filter((part) => part !== null).join(', ')
}

/** Writes a text below its label, in the first row where it does not run into the one before. */
function placeBelow(rows: string[], at: number, text: string): void {
  if (text === '') return
  const free = rows.findIndex((row) => displayWidth(row) + 2 <= at)
  const row = free < 0 ? rows.length : free
  const before = rows[row] ?? ''
  rows[row] = before + ' '.repeat(at - displayWidth(before)) + text
}

function listLines(boxes: readonly HopBox[]): readonly string[] {
  const marks = { ok: '✓', broken: '✗', blind: '?', unknown: '·' } as const
  return boxes.map((box) => {
    const kind = box.label === box.kind ? '' : ` (${box.kind})`
    const under = underLabel(box)
    return `${marks[box.state]} ${box.label}${kind}${under === '' ? '' : `: ${under}`}`
  })
}
