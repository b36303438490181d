import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temp } from '../e2e/built-cli.ts'
import { sharedFolder } from '../helpers/shared.ts'

/** Tools whose API server can be taken away while somebody works with them. */
export function failingTools() {
  const folder = temp('failing')
  const bin = join(folder, 'bin')
  const down = join(folder, 'down')
  mkdirSync(bin)
  for (const tool of ['kubectl', 'istioctl']) {
    const lines = ['#!/bin/sh', `[ -e "${down}" ] && export MESHBED_DOWN=1`]
    writeFileSync(join(bin, tool), [...lines, `exec "${join(sharedFolder, 'meshbed/bin', tool)}" "$@"`, ''].join('\n'))
    chmodSync(join(bin, tool), 0o755)
  }
  return {
    path: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    takeAway: () => writeFileSync(down, ''),
    bringBack: () => existsSync(down) && rmSync(down),
  }
}
