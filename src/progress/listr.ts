import { Listr, ListrLogger, ProcessOutput } from 'listr2'
import type { RunEvent } from '../model/run.ts'
import { forLine } from '../report/escape.ts'

interface Gate {
  readonly opened: Promise<void>
  readonly open: () => void
}

/** Steps as a list on stderr, with what runs right now below the current one. stdout is the result's alone. */
export function listrProgress(stderr: NodeJS.WriteStream) {
  const started = new Map<string, Gate>()
  const finished = new Map<string, Gate & { status: string }>()
  const outputs = new Map<string, (text: string) => void>()
  let list: Promise<unknown> | null = null
  const gateOf = (gates: Map<string, Gate>, id: string) => {
    const known = gates.get(id) ?? gate()
    gates.set(id, known)
    return known
  }
  const logger = new ListrLogger({ processOutput: new ProcessOutput(stderr, stderr) })
  let ended = false

  return {
    show(event: RunEvent) {
      switch (event.type) {
        case 'run-started':
          list = new Listr(
            event.plan.map(({ id, title }) => ({
              title: forLine(title),
              task: async (
                _context: unknown,
                task: { output: string; skip: (message?: string) => void; title: string },
              ) => {
                outputs.set(id, (text) => {
                  task.output = text
                })
                await Promise.race([gateOf(started, id).opened, gateOf(finished as Map<string, Gate>, 'run').opened])
                if (ended && !finished.get(id)) return task.skip()
                await Promise.race([
                  gateOf(finished as Map<string, Gate>, id).opened,
                  gateOf(finished as Map<string, Gate>, 'run').opened,
                ])
                const status = finished.get(id)?.status
                if (status === 'left-out') return task.skip()
                if (status === 'blind') task.title = `${forLine(title)} (could not look)`
                if (status === 'problem') task.title = `${forLine(title)} (something here)`
              },
            })),
            { concurrent: false, rendererOptions: { logger, collapseSkips: false } },
          )
            .run()
            .catch(() => undefined)
          break
        case 'step-started':
          gateOf(started, event.id).open()
          break
        case 'command-started':
          outputs.get(event.step)?.(forLine(event.display).slice(0, 100))
          break
        case 'command-finished':
          outputs.get(event.step)?.(forLine(event.learned).slice(0, 100))
          break
        case 'step-finished': {
          const done = { ...gateOf(finished as Map<string, Gate>, event.id), status: event.status }
          finished.set(event.id, done)
          done.open()
          break
        }
        case 'step-left-out': {
          const done = { ...gateOf(finished as Map<string, Gate>, event.id), status: 'left-out' }
          finished.set(event.id, done)
          gateOf(started, event.id).open()
          done.open()
          break
        }
        case 'run-finished':
          ended = true
          gateOf(finished as Map<string, Gate>, 'run').open()
          break
        default:
      }
    },
    async end() {
      ended = true
      gateOf(finished as Map<string, Gate>, 'run').open()
      await list
    },
  }
}

function gate(): Gate {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
