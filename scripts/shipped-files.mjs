import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the program reads of its own package: runbooks, schemas, and the recordings that demos play; the other recordings are for tests. */
export function shippedFiles(root) {
  const listed = (folder, ending) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(ending))
      .sort()
      .map((name) => `${folder}/${name}`)
  return [...listed('runbooks', '.yaml'), ...listed('schemas', '.json'), ...demoFiles(root)]
}

export function demoFiles(root) {
  const source = readFileSync(join(root, 'src/cli/demo-list.ts'), 'utf8')
  const sessions = [...source.matchAll(/session: '([\w-]+)'/g)].map(([, name]) => name)
  if (sessions.length === 0) throw new Error('src/cli/demo-list.ts names no session')
  return [...new Set(sessions)].sort().map((name) => `fixtures/sessions/${name}.json.br`)
}
