import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const marker = /^<!-- example: (?<command>.+?) -->\n+```[^\n]*\n(?<output>[\s\S]*?)^```$/gm

/** Pages written by hand, whose examples are what the program prints. */
export function pagesByHand(root: string): readonly string[] {
  const inFolder = (folder: string) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => (folder === '.' ? name : `${folder}/${name}`))
  return [...inFolder('.'), ...inFolder('docs')].sort()
}

/** The built program on a `PATH` of its own: examples cannot reach a cluster, nor the state of whoever runs this. */
export interface Shell {
  readonly run: (command: string) => string | null
}

export function openShell(root: string, folder: string): Shell {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(folder, 'dist')], { stdio: 'pipe' })
  const program = join(bin, 'meshtriage')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'dist/main.js')}' "$@"\n`)
  chmodSync(program, 0o755)
  const hasJq = spawnSync('sh', ['-c', 'command -v jq'], { stdio: 'ignore' }).status === 0
  return {
    run(command) {
      if (!hasJq && /\bjq\b/.test(command)) return null
      const { stdout, stderr, status } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
        cwd: folder,
        encoding: 'utf8',
        env: {
          PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
          HOME: folder,
          XDG_STATE_HOME: join(folder, 'state'),
          NO_COLOR: '1',
          TZ: 'UTC',
          LC_ALL: 'C.UTF-8',
        },
      })
      if (status !== 0 && stdout === '') throw new Error(`${command}: exit ${status}\n${stderr}`)
      return stdout
    },
  }
}

/** A page with its examples as they are today. What cannot be run here (no jq) stays as it was. */
export function withExamples(root: string, path: string, shell: Shell): string {
  const text = readFileSync(join(root, path), 'utf8')
  return text.replace(marker, (whole, command: string) => {
    const output = shell.run(command)
    if (output === null) return whole
    const lines = output.replace(/\s+$/, '').split('\n')
    return [
      `<!-- example: ${command} -->`,
      '```text',
      `$ ${command}`,
      ...lines.map((line) => line.trimEnd()),
      '```',
    ].join('\n')
  })
}
