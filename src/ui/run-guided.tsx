import { render } from 'ink'
import { initialRunState } from '../model/run.ts'
import { App } from './App.tsx'
import { closingLines, exitCodeOf } from './closing.ts'
import type { Backend, GuidedEnd, GuidedOptions } from './ports.ts'
import { createScreenWriter } from './screen-writer.ts'
import type { AppEnd } from './use-leaving.ts'

/** Opens the guided walk on a terminal and leaves that terminal as it was, however it ends. */
export async function runGuided(backend: Backend, options: GuidedOptions): Promise<GuidedEnd> {
  const writer = createScreenWriter(options.stdout)
  const now = options.now ?? (() => Date.now())
  let end: AppEnd = { state: initialRunState, saved: null, interrupted: false }
  const restore = () => {
    writer.close()
    // A crash may come before Ink lets go of the keyboard.
    if (options.stdin.isTTY && options.stdin.isRaw) options.stdin.setRawMode(false)
  }
  options.onTerminal?.(restore)
  writer.open()
  try {
    const app = render(
      <App
        backend={backend}
        options={options}
        now={now}
        onEnd={(last) => {
          end = last
        }}
      />,
      {
        stdin: options.stdin,
        stdout: writer.stdout,
        ...(options.stderr ? { stderr: options.stderr } : {}),
        exitOnCtrlC: false,
        patchConsole: false,
        // Whole frames, unthrottled: the screen writer compares them and writes what changed.
        debug: true,
      },
    )
    await app.waitUntilExit()
  } finally {
    restore()
  }
  const closing = closingLines(end.state, end.saved, options.stdout.columns || 80)
  if (closing.length > 0) options.stdout.write(`${closing.join('\n')}\n`)
  return { exitCode: exitCodeOf(end.state, end.interrupted), state: end.state, saved: end.saved }
}
