import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { coveragePage } from './coverage.ts'
import { describedAll, describedFile } from './described.ts'
import { evaluationPage } from './evaluation.ts'
import { examplePages } from './examples.ts'
import { openShell, pagesByHand, withExamples } from './page-examples.ts'
import { playAll } from './recordings.ts'
import { rulePages } from './rules.ts'
import { walksPage } from './walks.ts'

/** Folders that hold generated pages only: what is no longer made is removed. */
const ownFolders = ['docs/rules', 'docs/examples']

/** `folder` is a place to build the program in, for the examples that it prints. */
export async function generate(root: string, folder: string, check: boolean): Promise<number> {
  const recordings = await playAll()
  const described = describedAll(recordings)
  const shell = openShell(root, folder)
  const pages = new Map<string, string>([
    ...rulePages(recordings),
    ...examplePages(recordings),
    ['docs/walks.md', walksPage()],
    ['docs/evaluation.md', evaluationPage(recordings, described)],
    ['docs/coverage.md', coveragePage(recordings)],
    describedFile(described),
  ])
  for (const path of pagesByHand(root)) {
    if (!pages.has(path)) pages.set(path, withExamples(root, path, shell))
  }
  const behind: string[] = []
  for (const [path, text] of pages) {
    const file = join(root, path)
    const known = existsSync(file) ? readFileSync(file, 'utf8') : null
    if (known === text) continue
    behind.push(path)
    if (check) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const folder of ownFolders) {
    const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []
    for (const name of names) {
      if (pages.has(`${folder}/${name}`)) continue
      behind.push(`${folder}/${name} (no longer made)`)
      if (!check) rmSync(join(root, folder, name))
    }
  }
  console.log(
    behind.length === 0
      ? `${pages.size} pages, all current`
      : `${check ? 'behind' : 'written'}: ${behind.length} of ${pages.size} pages`,
  )
  if (check) for (const path of behind.slice(0, 20)) console.log(`  ${path}`)
  return check && behind.length > 0 ? 1 : 0
}
