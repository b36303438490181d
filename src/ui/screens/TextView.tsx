import { useEffect, useMemo, useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { fieldLine } from '../components/TextField.tsx'
import { edit, emptyField, type Field, fieldText } from '../field.ts'
import { actionFor, fieldKeys, textKeys } from '../keys.ts'
import { ends, type Line, span } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { findIn, type Range, type TextRow, textRows } from '../search.ts'
import { usePlaced } from '../use-placed.ts'
import { clampScroll } from '../view/windowed.ts'
import { shortCommand } from '../view/wording.ts'
import { widthOf } from '../width.ts'

/** One text among several: the outputs of a walk's commands, or a note alone. */
export interface Page {
  readonly id: string
  readonly title: string
  /** What `c` copies; null: the text itself. */
  readonly copies: string | null
  readonly load: () => Promise<string>
}

interface Props {
  readonly isActive: boolean
  readonly pages: readonly Page[]
  readonly first: string | null
  readonly flash: string | null
  readonly onCopy: (text: string) => void
  readonly onExplain: (text: string, here: string) => void
  readonly onHelp: () => void
  readonly onClose: () => void
}

/** More than this is read in an editor: the file is in the session folder. */
const mostCharacters = 4_000_000

/** Text as a tool printed it, with search. */
export function TextView({ isActive, pages, first, flash, onCopy, onExplain, onHelp, onClose }: Props) {
  const { width, rows: screenRows } = useScreen()
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      pages.findIndex(({ id }) => id === first),
    ),
  )
  const [text, setText] = useState<string | null>(null)
  const [field, setField] = useState(emptyField)
  const [isSearching, setSearching] = useState(false)
  const page = pages[at]
  const pageId = page?.id
  const [offset, setOffset] = usePlaced(pageId ?? '', 0)
  const [hit, setHit] = usePlaced(pageId ?? '', 0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: pages are made anew with every event; the id says which one is shown
  useEffect(() => {
    let isCurrent = true
    setText(null)
    page?.load().then(
      (loaded) => isCurrent && setText(loaded),
      (error: unknown) =>
        isCurrent && setText(`could not be read: ${error instanceof Error ? error.message : String(error)}`),
    )
    return () => {
      isCurrent = false
    }
  }, [pageId])

  const rows = useMemo(() => (text === null ? [] : shownRows(text, width)), [text, width])
  const query = fieldText(field)
  const found = useMemo(() => findIn(rows, query), [rows, query])
  const height = Math.max(1, screenRows - 4)
  const scroll = (to: number) => setOffset(clampScroll(to, rows.length, height))
  const toHit = (hit: number) => {
    const { length } = found.hits
    const row = found.hits[(hit + length) % length]
    if (row === undefined) return
    setHit((hit + length) % length)
    // What is in view stays where it is.
    if (row < offset || row >= offset + height) scroll(row - Math.floor(height / 3))
  }
  /** The line of the hit that is marked, whole. */
  const hitLine = () => {
    const marked = rows[found.hits[hit] ?? -1]
    return rows
      .filter(({ line }) => line === marked?.line)
      .map((row) => row.text)
      .join('')
  }
  // While one writes, the view goes along.
  const write = (next: Field) => {
    setField(next)
    const { hits } = findIn(rows, fieldText(next))
    const first = Math.max(
      0,
      hits.findIndex((row) => row >= offset),
    )
    const row = hits[first]
    setHit(first)
    if (row !== undefined && (row < offset || row >= offset + height)) scroll(row - Math.floor(height / 3))
  }

  usePresses((press) => {
    if (isSearching) {
      if (press.token === 'esc') {
        setField(emptyField)
        return setSearching(false)
      }
      if (press.token === 'enter') return setSearching(false)
      const next = edit(field, press)
      return next ? write(next) : undefined
    }
    switch (actionFor(textKeys, press)) {
      case 'search':
        setField(emptyField)
        return setSearching(true)
      case 'nextHit':
        return toHit(hit + 1)
      case 'previousHit':
        return toHit(hit - 1)
      case 'next':
        return setAt((at + 1) % Math.max(1, pages.length))
      case 'previous':
        return setAt((at - 1 + pages.length) % Math.max(1, pages.length))
      case 'copy':
        return onCopy(page?.copies ?? text ?? '')
      case 'up':
        return scroll(offset - 1)
      case 'down':
        return scroll(offset + 1)
      case 'pageUp':
        return scroll(offset - height + 1)
      case 'pageDown':
        return scroll(offset + height - 1)
      case 'top':
        return scroll(0)
      case 'bottom':
        return scroll(rows.length)
      case 'explain':
        return onExplain(
          rows
            .slice(offset, offset + height)
            .map((row) => row.text)
            .join('\n'),
          hitLine(),
        )
      case 'help':
        return onHelp()
      case 'close':
        if (query !== '' && press.token === 'esc') return setField(emptyField)
        return onClose()
      case null:
        return
    }
  }, isActive)

  if (!isActive) return null
  const shown = rows.slice(offset, offset + height)
  const place =
    text === null
      ? 'reading …'
      : rows.length <= height
        ? `${rows.length} lines`
        : `${offset + 1}–${offset + shown.length} of ${rows.length} lines`
  const count = found.hits.length
  const searched =
    query === ''
      ? ''
      : count === 0
        ? `not found: "${query}" · `
        : `${hit + 1} of ${count}${found.isCut ? '+' : ''} × "${query}" · `
  const which = pages.length > 1 ? `${at + 1}/${pages.length}  ` : ''
  const right = [span(`${searched}${place}`, 'dim')]
  const room = Math.max(16, width - widthOf(which) - widthOf(right.map(({ text }) => text).join('')) - 2)
  const title = ends(
    [span(which, 'dim'), span(shortCommand(page?.title ?? 'nothing to show', room), 'command')],
    right,
    width,
  )
  const body = shown.map((row, index) => marked(row.text, found.ranges.get(offset + index) ?? [], hit))
  const drawn = isSearching ? [...body.slice(0, height - 1), fieldLine('search /', field, width)] : body
  const empty = text !== null && text.trim() === '' ? [[span('it printed nothing', 'dim')]] : []
  return (
    <Frame
      title={[title]}
      flash={flash}
      keys={isSearching ? fieldKeys : textKeys}
      labels={count > 0 ? { nextHit: 'next hit' } : {}}
      without={pages.length > 1 ? [] : ['next']}
    >
      {(bodyWidth, bodyHeight) => <Lines lines={[...empty, ...drawn]} width={bodyWidth} height={bodyHeight} />}
    </Frame>
  )
}

function shownRows(text: string, width: number): TextRow[] {
  const rest = text.length - mostCharacters
  const rows = textRows(text.slice(0, mostCharacters), width)
  return rest > 0
    ? [...rows, { text: `… ${rest} more characters: open the file in the session folder`, line: -1 }]
    : rows
}

/** Every hit is marked, the one that n and N stand on most. */
function marked(text: string, ranges: readonly Range[], current: number): Line {
  const parts: Line[number][] = []
  let at = 0
  for (const { from, to, hit } of ranges) {
    parts.push(span(text.slice(at, from)), span(text.slice(from, to), hit === current ? 'marked' : 'found'))
    at = to
  }
  return [...parts, span(text.slice(at))]
}
