import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { builtMain, temp } from '../e2e/built-cli.ts'

/** `script` of util-linux gives a program a terminal and hands on what it writes, as it writes it. */
const hasScript =
  spawnSync('script', ['-qfec', 'true', '/dev/null'], { stdio: ['ignore', 'pipe', 'pipe'] }).status === 0
if (!hasScript) console.warn('no script(1) of util-linux: the first frame is not measured')

function millisecondsUntil(words: readonly string[], text: string): Promise<number> {
  const home = temp('first-frame')
  const command = words.map((word) => `'${word}'`).join(' ')
  const env = {
    PATH: [join(home, 'bin'), dirname(process.execPath), '/bin'].join(':'),
    HOME: home,
    XDG_STATE_HOME: home,
    SHELL: '/bin/sh',
    TERM: 'xterm-256color',
  }
  mkdirSync(join(home, 'bin'))
  const begun = performance.now()
  // No pipe as its input: a terminal needs somebody who can type.
  const child = spawn('script', ['-qfec', `stty rows 24 cols 80; exec ${command}`, '/dev/null'], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return new Promise((resolve) => {
    let seen = ''
    let took = 0
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk
      if (took > 0 || !seen.includes(text)) return
      took = performance.now() - begun
      child.stdin.write('\u0003')
    })
    child.on('close', () => resolve(took))
  })
}

async function best(of: number, measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let n = 0; n < of; n++) least = Math.min(least, await measure())
  return least
}

test.skipIf(!hasScript)('the first question stands within 0.3 s of the start', { timeout: 60_000 }, async () => {
  const first = await best(5, () => millisecondsUntil([process.execPath, builtMain()], 'see?'))
  const floor = await best(5, () => millisecondsUntil([process.execPath, '-e', 'console.log("see?")'], 'see?'))
  // A machine on which an empty program takes long is busy with something else.
  expect(first).toBeLessThan(Math.max(300, 5 * floor))
})
