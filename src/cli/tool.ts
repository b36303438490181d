import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../library/find-runbooks.ts'

/** Name and version as the note and `--version` tell them. */
export function readTool(): { readonly name: string; readonly version: string } {
  const { name, version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    name: string
    version: string
  } // our own file
  return { name, version }
}
