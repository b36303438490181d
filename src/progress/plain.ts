import type { RunEvent } from '../model/run.ts'
import { forLine } from '../report/escape.ts'

/** One line a step and one a command, for logs and pipes. */
export function plainProgress(write: (line: string) => void) {
  return {
    show(event: RunEvent) {
      switch (event.type) {
        case 'step-started':
          write(`${event.n}. ${forLine(event.title)}\n`)
          break
        case 'command-finished': {
          const { entry, learned } = event
          const mark = entry.status === 'ok' ? 'ok' : '??'
          write(
            `   ${mark}  ${[entry.command.file, ...entry.command.args].map(forLine).join(' ').slice(0, 120)}: ${forLine(learned).slice(0, 160)}\n`,
          )
          break
        }
        case 'step-finished':
          for (const line of event.learned) write(`   !   ${forLine(line)}\n`)
          break
        case 'banner':
          if (event.text !== null) write(`   the cluster does not answer: ${forLine(event.text)}\n`)
          break
        default:
      }
    },
    end: async () => undefined,
  }
}
