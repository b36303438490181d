import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** Every page of the project, by its path. */
export const pages: readonly string[] = [
  ...markdownIn('.'),
  ...markdownIn('docs'),
  ...markdownIn('docs/rules'),
  ...markdownIn('docs/examples'),
]

export function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export interface Block {
  readonly language: string
  /** `file: PATH`, `edit: PATH`, `example: COMMAND`, as the comment above the block says. */
  readonly label: string | null
  readonly text: string
}

export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^(?:<!-- ([a-z]+: .+?) -->\n+)?```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)].map(
    ([, label, language = '', text = '']) => ({ language, label: label ?? null, text }),
  )
}

/** The text of the file that a page shows whole. */
export function fileOn(path: string, file: string): string {
  const block = blocksOf(readPage(path)).find(({ label }) => label === `file: ${file}`)
  if (!block) throw new Error(`${path} shows no file ${file}`)
  return block.text
}

/** Applies the lines of a diff without line numbers: what it keeps and takes away must stand in the text exactly once. */
export function applyEdit(text: string, diff: string): string {
  const lines = diff.replace(/\n$/, '').split('\n')
  const side = (mark: string) =>
    `${lines
      .filter((line) => line[0] !== mark)
      .map((line) => line.slice(1))
      .join('\n')}\n`
  const [before, after] = [side('+'), side('-')]
  if (text.split(before).length !== 2) throw new Error(`stands ${text.split(before).length - 1} times:\n${before}`)
  return text.replace(before, () => after)
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => (folder === '.' ? name : `${folder}/${name}`))
}
