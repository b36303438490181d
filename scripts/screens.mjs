// Real screens of the built program, playing its demos in a terminal: docs/screens/*.txt and *.svg. Needs tmux.
//   node scripts/screens.mjs [NAME…]
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const pastedLine =
  '[2026-03-01T10:00:01.123Z] "GET /api HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19 0 - "-" "curl/8.5" "f3b7" "orders.shop:8080" "-" outbound|8080||orders.shop.svc.cluster.local - 10.96.4.2:8080 10.1.0.5:41234 - default'

const palette = {
  30: '#3b4252',
  31: '#e06c75',
  32: '#98c379',
  33: '#e5c07b',
  34: '#61afef',
  35: '#c678dd',
  36: '#56b6c2',
  37: '#dcdfe4',
  90: '#7f848e',
  91: '#e06c75',
  92: '#98c379',
  93: '#e5c07b',
  94: '#7cb7ff',
  95: '#c678dd',
  96: '#56b6c2',
  97: '#ffffff',
}

/** Each screen: where it starts, what is pressed, and what has to stand there before the next key. */
const screens = [
  { name: 'intake', about: 'No cluster at hand: what works without one', keys: ['No cluster answers'] },
  {
    name: 'paste',
    about: 'A pasted log line, answered at once',
    keys: ['No cluster answers', { paste: pastedLine }, 'This says'],
  },
  {
    name: 'walk',
    about: 'The walk: the rail of layers, one step, what comes next',
    args: ['demo', 'tls-conflict', '--guided'],
    keys: [...enters(3), /4 · [A-Z].*Next ▸/s],
  },
  {
    name: 'diagnosis',
    about: 'The answer, its proof, and the smallest move',
    args: ['demo', 'tls-conflict', '--guided'],
    size: [100, 40],
    keys: toTheEnd(),
  },
  {
    name: 'suspects',
    about: 'Stopped early: suspects, and the command that decides',
    args: ['demo', 'deny', '--guided'],
    keys: [/1 · [A-Z].*Next ▸/s, { press: 'f' }, 'note saved'],
  },
  {
    name: 'clean',
    about: 'Nothing found, and what was looked at',
    args: ['demo', 'healthy', '--guided'],
    keys: toTheEnd(),
  },
  {
    name: 'evidence',
    about: 'Everything that was looked at',
    args: ['demo', 'ambient', '--guided'],
    keys: [...toTheEnd(), { press: 'e' }, 'Evidence'],
  },
  {
    name: 'explain',
    about: 'A word of the screen, explained',
    args: ['demo', 'subset', '--guided'],
    keys: [...toTheEnd(), { press: 'x' }, 'Look next'],
  },
  {
    name: 'narrow',
    about: 'The same walk in forty columns',
    args: ['demo', 'tls-conflict', '--guided'],
    size: [40, 20],
    keys: [...enters(3), /4 · [A-Z].*Next ▸/s],
  },
  {
    name: 'plain',
    about: 'Plain mode: sentences, for screen readers and simple terminals',
    args: ['--plain'],
    size: [80, 40],
    keys: ['What do the callers see?', { type: 'play' }, 'Which demo?', { type: '1' }, 'Next:'],
  },
]

function enters(count) {
  return Array.from({ length: count }, (_, n) => [
    new RegExp(`${n + 1} · [A-Z].*Next ▸`, 's'),
    { press: 'Enter' },
  ]).flat()
}

/** Auto stops at each finding; the loop in `walkOn` presses on. */
function toTheEnd() {
  return [{ walkOn: true }]
}

const work = mkdtempSync(join(tmpdir(), 'screens-'))
const server = `meshtriage-screens-${process.pid}`
const tmux = (...args) => {
  const { status, stdout, stderr } = spawnSync('tmux', ['-L', server, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr || 'is it installed?'}`)
  return stdout
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

try {
  for (const name of ['runbooks', 'fixtures', 'schemas', 'package.json'])
    symlinkSync(join(root, name), join(work, name))
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), join(work, 'dist')], { stdio: 'inherit' })
  if (built.status !== 0) throw new Error('the build failed')
  // Neither a cluster nor its tools: what is on this machine must not show.
  mkdirSync(join(work, 'bin'))
  mkdirSync(join(root, 'docs/screens'), { recursive: true })
  const asked = process.argv.slice(2)
  for (const screen of screens.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
    const { text, coloured } = await play(screen)
    writeFileSync(join(root, 'docs/screens', `${screen.name}.txt`), `${text.replace(/[ \n]+$/, '')}\n`)
    writeFileSync(join(root, 'docs/screens', `${screen.name}.svg`), svg(coloured, screen))
    console.log(screen.name)
  }
} finally {
  spawnSync('tmux', ['-L', server, 'kill-server'])
  rmSync(work, { recursive: true, force: true })
}

async function play({ name, args = [], size = [80, 24], keys }) {
  const [columns, rows] = size
  const env = {
    PATH: join(work, 'bin'),
    HOME: join(work, 'home'),
    XDG_STATE_HOME: join(work, 'state', name),
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
  }
  const command = ['env', '-i', ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
  const program = [process.execPath, join(work, 'dist/main.js'), ...args]
  const line = [...command, ...program].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  writeFileSync(join(work, 'tmux.conf'), 'set -g status off\nset -g exit-empty off\n')
  tmux('-f', join(work, 'tmux.conf'), 'new-session', '-d', '-s', name, '-x', `${columns}`, '-y', `${rows}`, line)
  const seen = () => tmux('capture-pane', '-p', '-t', name)
  const until = async (what) => {
    for (let tries = 0; tries < 600; tries++) {
      const text = seen()
      if (typeof what === 'string' ? text.includes(what) : what.test(text)) return text
      await pause(50)
    }
    throw new Error(`${name}: ${what} does not show:\n${seen()}`)
  }
  for (const key of keys) {
    if (typeof key === 'string' || key instanceof RegExp) await until(key)
    else if (key.press) tmux('send-keys', '-t', name, key.press)
    else if (key.type) {
      tmux('send-keys', '-t', name, '-l', key.type)
      tmux('send-keys', '-t', name, 'Enter')
    } else if (key.paste) {
      tmux('set-buffer', '-b', 'pasted', key.paste)
      tmux('paste-buffer', '-p', '-b', 'pasted', '-t', name)
    } else if (key.walkOn) {
      for (let n = 1; !(await until(new RegExp(`${n} · [A-Z].*Next ▸|note saved`, 's'))).includes('note saved'); n++) {
        tmux('send-keys', '-t', name, 'Enter')
        await until(new RegExp(`${n + 1} · [A-Z]|note saved`))
      }
    }
  }
  await settled(seen)
  const text = seen()
  const coloured = tmux('capture-pane', '-e', '-p', '-t', name)
  tmux('kill-session', '-t', name)
  return { text: masked(text), coloured: masked(coloured) }
}

/** The last frame has been drawn when nothing changes any more. */
async function settled(seen) {
  for (let before = ''; before !== seen(); await pause(300)) before = seen()
}

/** What differs from machine to machine and from run to run: where the note lies, and what a refused connection says. */
function masked(text) {
  return text
    .split('\n')
    .map((line) => {
      const said = /note saved: (\S+) (─*)/.exec(line)
      if (!said) return line
      const path = '~/.local/state/meshtriage/…/note.json'
      const rule = '─'.repeat(Math.max(0, said[1].length + said[2].length - path.length))
      return line.replace(said[0], `note saved: ${path} ${rule}`)
    })
    .join('\n')
}

/** Rows of runs: text in one style. */
function runsOf(line, style) {
  const [first = '', ...pieces] = line.split('\u001b[')
  const runs = first === '' ? [] : [{ text: first, ...style }]
  for (const piece of pieces) {
    const [, codes = '', text = piece] = /^([0-9;]*)m(.*)$/s.exec(piece) ?? []
    for (const code of (codes || '0').split(';').map(Number)) apply(style, code)
    if (text !== '') runs.push({ text, ...style })
  }
  return runs
}

function apply(style, code) {
  if (code === 0) Object.assign(style, { colour: null, bold: false, dim: false, inverse: false, underline: false })
  else if (code === 1) style.bold = true
  else if (code === 2) style.dim = true
  else if (code === 4) style.underline = true
  else if (code === 7) style.inverse = true
  else if (code === 22) Object.assign(style, { bold: false, dim: false })
  else if (code === 24) style.underline = false
  else if (code === 27) style.inverse = false
  else if (code === 39) style.colour = null
  else if (palette[code]) style.colour = palette[code]
}

function svg(coloured, { about, size: [columns, rows] = [80, 24] }) {
  const [cell, line, margin] = [8.4, 18, 14]
  const [width, height] = [columns * cell + 2 * margin, rows * line + 2 * margin]
  const style = { colour: null, bold: false, dim: false, inverse: false, underline: false }
  const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const texts = coloured
    .replace(/\n$/, '')
    .split('\n')
    .slice(0, rows)
    .flatMap((row, y) => {
      let x = 0
      // Viewers swallow blanks at the ends of a text: each piece between wider gaps stands at its own place.
      const pieces = runsOf(row, style).flatMap((run) => {
        const at = x
        x += [...run.text].length
        if (run.inverse) return [{ ...run, at }]
        return [...run.text.matchAll(/\S+(?: \S+)*/g)].map((match) => ({
          ...run,
          text: match[0],
          at: at + [...run.text.slice(0, match.index)].length,
        }))
      })
      return pieces.flatMap((run) => {
        const { at } = run
        const length = [...run.text].length
        const fill = run.inverse ? '#1e222a' : (run.colour ?? '#dcdfe4')
        const [left, top] = [(margin + at * cell).toFixed(1), margin + y * line]
        const back = run.inverse
          ? [`<rect x="${left}" y="${top}" width="${(length * cell).toFixed(1)}" height="${line}" fill="#dcdfe4"/>`]
          : []
        const looks = [
          run.bold ? ' font-weight="bold"' : '',
          run.dim ? ' opacity="0.6"' : '',
          run.underline ? ' text-decoration="underline"' : '',
        ].join('')
        return [
          ...back,
          `<text x="${left}" y="${top + 13}" fill="${fill}"${looks} textLength="${(length * cell).toFixed(1)}" lengthAdjust="spacingAndGlyphs">${escaped(run.text)}</text>`,
        ]
      })
    })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width.toFixed(0)}" height="${height}" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img" aria-label="${escaped(about)}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">`,
    `<title>${escaped(about)}</title>`,
    '<rect width="100%" height="100%" rx="8" fill="#1e222a"/>',
    ...texts,
    '</svg>',
    '',
  ].join('\n')
}
