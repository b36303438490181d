import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../library/package-root.ts'

/** Put in by the build, so that `--version` reads no file. */
declare const __MESHTRIAGE_VERSION__: string | undefined

/** Name and version as the note and `--version` tell them. */
export function readTool(): { readonly name: string; readonly version: string } {
  if (typeof __MESHTRIAGE_VERSION__ === 'string') return { name: 'meshtriage', version: __MESHTRIAGE_VERSION__ }
  const { name, version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    name: string
    version: string
  } // our own file
  return { name, version }
}
