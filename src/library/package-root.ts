import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the package, from the bundle and from the sources alike. */
export function packageRoot(from: string = fileURLToPath(import.meta.url)): string {
  let folder = dirname(from)
  while (!existsSync(join(folder, 'package.json')) || !existsSync(join(folder, 'runbooks'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('the package is incomplete: no runbooks folder above the program')
    folder = parent
  }
  return folder
}
