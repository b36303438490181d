import { forLine, forTerminal } from './escape.ts'
import { truncate, wrap, wrapCommand } from './wrap.ts'

export interface PageOptions {
  readonly width?: number
  readonly colour?: boolean
}

const styles = { bold: '1', dim: '2', bad: '31', good: '32', doubt: '33', note: '36' } as const
export type PageStyle = keyof typeof styles

export type Page = ReturnType<typeof newPage>

/** Lines of a report for a terminal. Whatever is put in is data: escape sequences and the like never get out of here. */
export function newPage({ width: asked = 80, colour = false }: PageOptions = {}) {
  const width = Math.max(30, asked)
  const lines: string[] = []
  const paint = (text: string, style: PageStyle | undefined) => paintText(text, colour ? style : undefined)
  const add = (line: string, style?: PageStyle) => void lines.push(paint(line.trimEnd(), style))
  const para = (content: string, first = '', rest = first, style?: PageStyle) => {
    const parts = wrap(forLine(content), width - Math.max(first.length, rest.length))
    for (const [index, part] of parts.entries()) add((index === 0 ? first : rest) + part, style)
  }
  return {
    width,
    paint,
    /** As it is: columns made by the caller, from text that was cleaned. Cut at the width. */
    row: (content: string, style?: PageStyle) =>
      add(truncate(forTerminal(content).replaceAll('\n', ' '), width), style),
    blank: () => {
      if (lines.length > 0 && lines.at(-1) !== '') lines.push('')
    },
    para,
    heading: (title: string, style: PageStyle = 'bold') => {
      if (lines.length > 0 && lines.at(-1) !== '') lines.push('')
      para(title, '', '  ', style)
    },
    item: (content: string, mark = '-', style?: PageStyle) => para(content, `  ${mark} `, '    ', style),
    field: (name: string, value: string, column = 11) =>
      para(value, `  ${name.padEnd(column - 2)}`, ' '.repeat(column)),
    /** A URL stays on one line: a broken one cannot be followed. */
    link: (url: string) => add(forLine(url), 'dim'),
    quote: (content: string) => para(truncate(forLine(content), 600), '    │ '),
    command: (command: string, indent = '    ') => {
      for (const [index, part] of wrapCommand(forLine(command), width - indent.length - 2).entries())
        add(`${indent}${index === 0 ? '$ ' : '  '}${part}`)
    },
    done: () => `${lines.join('\n')}\n`,
  }
}

export function paintText(text: string, style: PageStyle | undefined): string {
  return style === undefined || text === '' ? text : `\u001b[${styles[style]}m${text}\u001b[0m`
}

/** Whether a text is a command that can be pasted, rather than a sentence about what to look at. */
export function isCommand(text: string): boolean {
  return /^(?:kubectl|istioctl|curl|openssl|meshtriage|dig|nc|grpcurl)\s/.test(text)
}
