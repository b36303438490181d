import { useEffect, useMemo, useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { fieldLine } from '../components/TextField.tsx'
import { edit, emptyField, fieldText } from '../field.ts'
import { actionFor, fieldKeys, textKeys } from '../keys.ts'
import { ends, type Line, span } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { stripLines } from '../strip.ts'
import { usePlaced } from '../use-placed.ts'
import { clampScroll } from '../view/windowed.ts'
import { clipMiddle, take, widthOf } from '../width.ts'

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
  readonly onExplain: (text: string) => void
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

  const lines = useMemo(() => (text === null ? [] : wrapped(text, width)), [text, width])
  const query = fieldText(field).toLowerCase()
  const hits = useMemo(
    () => (query === '' ? [] : lines.flatMap((each, index) => (each.toLowerCase().includes(query) ? [index] : []))),
    [lines, query],
  )
  const height = Math.max(1, screenRows - 4)
  const scroll = (to: number) => setOffset(clampScroll(to, lines.length, height))
  const toHit = (direction: 1 | -1) => {
    const next =
      direction === 1
        ? (hits.find((hit) => hit > offset) ?? hits[0])
        : (hits.findLast((hit) => hit < offset) ?? hits.at(-1))
    if (next !== undefined) scroll(next)
  }

  usePresses((press) => {
    if (isSearching) {
      if (press.token === 'esc') {
        setField(emptyField)
        return setSearching(false)
      }
      if (press.token === 'enter') {
        setSearching(false)
        const hit = hits.find((each) => each >= offset) ?? hits[0]
        return hit === undefined ? undefined : scroll(hit)
      }
      const next = edit(field, press)
      if (next) setField(next)
      return
    }
    switch (actionFor(textKeys, press)) {
      case 'search':
        setField(emptyField)
        return setSearching(true)
      case 'nextHit':
        return toHit(1)
      case 'previousHit':
        return toHit(-1)
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
        return scroll(lines.length)
      case 'explain':
        return onExplain(lines.slice(offset, offset + height).join('\n'))
      case 'help':
        return onHelp()
      case 'close':
        return onClose()
      case null:
        return
    }
  }, isActive)

  if (!isActive) return null
  const shown = lines.slice(offset, offset + height)
  const place =
    text === null
      ? 'reading …'
      : lines.length <= height
        ? `${lines.length} lines`
        : `${offset + 1}–${offset + shown.length} of ${lines.length} lines`
  const found = query === '' ? '' : `${hits.length} × "${query}" · `
  const which = pages.length > 1 ? `${at + 1}/${pages.length}  ` : ''
  const right = [span(`${found}${place}`, 'dim')]
  const title = ends(
    [span(which, 'dim'), span(clipMiddle(page?.title ?? 'nothing to show', Math.max(20, width - 28)), 'command')],
    right,
    width,
  )
  const body = isSearching
    ? [...shown.slice(0, height - 1).map((each) => marked(each, query)), fieldLine('search /', field, width)]
    : shown.map((each) => marked(each, query))
  const empty = text !== null && text.trim() === '' ? [[span('it printed nothing', 'dim')]] : []
  return (
    <Frame
      title={[title]}
      flash={flash}
      keys={isSearching ? fieldKeys : textKeys}
      without={pages.length > 1 ? [] : ['next']}
    >
      {(bodyWidth, bodyHeight) => <Lines lines={[...empty, ...body]} width={bodyWidth} height={bodyHeight} />}
    </Frame>
  )
}

/** Long lines go on in the next one: of a log line the end tells as much as the beginning. */
function wrapped(text: string, width: number): string[] {
  const isCut = text.length > mostCharacters
  const lines = stripLines(isCut ? text.slice(0, mostCharacters) : text).flatMap((each) => chunks(each, width))
  if (lines.at(-1) === '') lines.pop()
  return isCut
    ? [...lines, `… ${text.length - mostCharacters} more characters: open the file in the session folder`]
    : lines
}

function chunks(text: string, width: number): string[] {
  const out: string[] = []
  let rest = text
  // A line without an end may be megabytes long: never measure more of it than fits.
  while (rest.length > width || widthOf(rest) > width) {
    const head = take(rest.slice(0, width).replace(/[\ud800-\udbff]$/, ''), width)
    if (head === '') break
    out.push(head)
    rest = rest.slice(head.length)
  }
  return [...out, rest]
}

function marked(text: string, query: string): Line {
  const at = query === '' ? -1 : text.toLowerCase().indexOf(query)
  if (at < 0) return [span(text)]
  return [
    span(text.slice(0, at)),
    span(text.slice(at, at + query.length), 'marked'),
    span(text.slice(at + query.length)),
  ]
}
