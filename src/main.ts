#!/usr/bin/env node
import { basename } from 'node:path'
import process from 'node:process'

const first = process.argv[2]
if ((first === '--version' || first === '-V') && process.argv.length === 3) {
  // Answered before anything is loaded: scripts ask for it often.
  const { readTool } = await import('./cli/tool.ts')
  process.stdout.write(`meshtriage ${readTool().version}\n`)
} else {
  const { run } = await import('./cli/program.ts')
  const interrupt = new AbortController()
  let signals = 0
  const onSignal = () => {
    signals += 1
    // The first one ends the walk and writes the note; whoever asks twice wants out.
    if (signals > 1) process.exit(130)
    interrupt.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader of a pipe left: nothing more to say, and no failure of ours.
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
      throw error
    })
  }
  process.exitCode = await run(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    interrupt: interrupt.signal,
    now: () => new Date(),
    programName: basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl meshtriage' : 'meshtriage',
  })
}
