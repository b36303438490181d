import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sharedFolder } from '../helpers/shared.ts'
import { temp } from './built-cli.ts'

/** What is put into the tools' answers. */
export interface Planted {
  readonly spec: {
    readonly env: unknown
    readonly args: unknown
    readonly secret: unknown
    readonly route: unknown
    readonly objects?: readonly unknown[]
  }
  readonly annotations: Readonly<Record<string, string>>
  readonly envoy: Readonly<Record<string, unknown>>
  readonly logLines: readonly string[]
  readonly stderr: string
}

/** kubectl and istioctl that answer as meshbed does, with things planted in every answer. */
export function plantingTools(planted: Planted): Record<string, string> {
  const folder = temp('planting')
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const tool of ['kubectl', 'istioctl']) {
    writeFileSync(
      join(bin, tool),
      `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, 'planting-tool.mjs')}" ${tool} "$@"\n`,
    )
    chmodSync(join(bin, tool), 0o755)
  }
  writeFileSync(join(folder, 'planted.json'), JSON.stringify(planted))
  return {
    PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    REAL_TOOLS: join(sharedFolder, 'meshbed/bin'),
    PLANTED: join(folder, 'planted.json'),
  }
}
