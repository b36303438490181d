import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtMain, shellOf, temp } from '../e2e/built-cli.ts'

export const hasTmux = spawnSync('tmux', ['-V']).status === 0
if (!hasTmux) console.warn('no tmux: the built program is not tested in a terminal (apt-get install tmux)')

export interface TerminalOptions {
  readonly args?: readonly string[]
  readonly mesh?: string
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly rows?: number
  /** Flags of node itself, in front of the program. */
  readonly node?: readonly string[]
}

/** A real terminal with the built program in it. */
export interface Terminal {
  /** What stands on the screen, one string a row. */
  readonly screen: () => string
  readonly shows: (text: string | RegExp | ((screen: string) => boolean), withinMs?: number) => Promise<string>
  /** Named keys (`Enter`, `Escape`, `C-c`), or letters. */
  readonly press: (...keys: readonly string[]) => void
  readonly type: (text: string) => void
  /** As the terminal hands over what was in the clipboard: in brackets, if the program asked for them. */
  readonly paste: (text: string) => void
  readonly resize: (columns: number, rows: number) => void
  readonly kill: (signal: NodeJS.Signals) => void
  /** Every byte that the program wrote. */
  readonly written: () => string
  /** Waits until the program has ended. */
  readonly left: (withinMs?: number) => Promise<Left>
  readonly close: () => void
}

export interface Left {
  readonly code: number
  /** The terminal's own settings, before and after. */
  readonly sttyBefore: string
  readonly sttyAfter: string
}

const server = `meshtriage-test-${process.pid}`
const tmux = (...args: readonly string[]): string => {
  const { stdout, stderr, status } = spawnSync('tmux', ['-L', server, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
  return stdout
}
let opened = 0

export function openTerminal(options: TerminalOptions = {}): Terminal {
  const { args = [], columns = 80, rows = 24, node = [] } = options
  const folder = temp('terminal')
  const file = (name: string) => join(folder, name)
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  const env: Record<string, string> = { LANG: 'C.UTF-8', TERM: 'xterm-256color', ...shellOf(options) }
  mkdirSync(env.HOME ?? folder, { recursive: true })
  writeFileSync(
    file('run.sh'),
    [
      `cd ${quoted(folder)}`,
      // In plain mode ctrl-c goes to everybody in the terminal; this script has to see the end.
      'trap : INT HUP',
      // Nothing may be written before somebody listens.
      'while [ ! -e go ]; do sleep 0.02; done',
      'stty -a > stty.before',
      `env -i ${Object.entries(env)
        .map(([name, value]) => quoted(`${name}=${value}`))
        .join(
          ' ',
        )} sh -c 'echo $$ > pid; exec "$@"' run ${[process.execPath, ...node, builtMain(), ...args].map(quoted).join(' ')}`,
      'echo $? > code.part',
      'stty -a > stty.after',
      'mv code.part code',
      'sleep 1000',
    ].join('\n'),
  )
  writeFileSync(file('tmux.conf'), 'set -g status off\nset -g exit-empty off\n')
  const name = `t${++opened}`
  const sized = ['-x', `${columns}`, '-y', `${rows}`]
  tmux('-f', file('tmux.conf'), 'new-session', '-d', '-s', name, ...sized, `sh ${quoted(file('run.sh'))}`)
  tmux('pipe-pane', '-t', name, `cat > ${quoted(file('written'))}`)
  writeFileSync(file('go'), '')

  const screen = () => tmux('capture-pane', '-p', '-t', name)
  const read = (path: string) => (existsSync(file(path)) ? readFileSync(file(path), 'utf8') : '')
  return {
    screen,
    async shows(text, withinMs = 20_000) {
      const holds = (of: string) =>
        typeof text === 'string' ? of.includes(text) : typeof text === 'function' ? text(of) : text.test(of)
      return until(screen, holds, withinMs, () => `${text} does not show:\n${screen()}`)
    },
    press: (...keys) => keys.forEach((key) => void tmux('send-keys', '-t', name, key)),
    type: (text) => void tmux('send-keys', '-t', name, '-l', text),
    paste(text) {
      tmux('set-buffer', '-b', name, text)
      tmux('paste-buffer', '-p', '-d', '-b', name, '-t', name)
    },
    resize: (width, height) => void tmux('resize-window', '-t', name, '-x', `${width}`, '-y', `${height}`),
    kill: (signal) => void process.kill(Number(read('pid')), signal),
    written: () => read('written'),
    async left(withinMs = 20_000) {
      const code = await until(
        () => read('code'),
        (text) => text !== '',
        withinMs,
        () => `still there:\n${screen()}`,
      )
      return { code: Number(code), sttyBefore: read('stty.before'), sttyAfter: read('stty.after') }
    },
    close: () => void tmux('kill-session', '-t', name),
  }
}

export function closeTerminals(): void {
  spawnSync('tmux', ['-L', server, 'kill-server'])
}
process.on('exit', closeTerminals)

async function until(
  look: () => string,
  holds: (text: string) => boolean,
  withinMs: number,
  complaint: () => string,
): Promise<string> {
  const end = Date.now() + withinMs
  for (;;) {
    const text = look()
    if (holds(text)) return text
    if (Date.now() > end) throw new Error(complaint())
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
}
