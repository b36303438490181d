import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Backend } from '../../src/ui/ports.ts'
import { runGuided } from '../../src/ui/run-guided.tsx'
import { sampleBackend } from './sample-backend.ts'

class Keyboard extends EventEmitter {
  isTTY = true
  isRaw = false
  private data: string | null = null
  setEncoding() {}
  ref() {}
  unref() {}
  setRawMode(isRaw: boolean) {
    this.isRaw = isRaw
  }
  read() {
    const { data } = this
    this.data = null
    return data
  }
  type(text: string) {
    this.data = text
    this.emit('readable')
  }
}

class Terminal extends EventEmitter {
  isTTY = true
  columns = 80
  rows = 24
  written = ''
  write(text: string) {
    this.written += text
    return true
  }
}

function begin(backend: Backend, signal?: AbortSignal) {
  const stdin = new Keyboard()
  const stdout = new Terminal()
  const restores: (() => void)[] = []
  // Size, `write`, raw mode and `readable` are all that is used of the two.
  const end = runGuided(backend, {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    colour: true,
    open: { demo: 'plaintext' },
    onTerminal: (restore) => restores.push(restore),
    ...(signal ? { signal } : {}),
  })
  return { stdin, stdout, end, restores }
}

async function until(holds: () => boolean) {
  for (let tries = 0; tries < 500 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(holds()).toBe(true)
}

const isRestored = (text: string) =>
  text.lastIndexOf('\u001b[?1049l') > text.lastIndexOf('\u001b[?1049h') && text.includes('\u001b[?25h')

test('ctrl-c: the note is written, the terminal put back, the summary stays in the scrollback', async () => {
  const { stdin, stdout, end } = begin(sampleBackend())
  await until(() => stdout.written.includes('Next ▸'))
  expect(stdin.isRaw).toBe(true)
  stdin.type('\u0003')
  const { exitCode, saved } = await end
  expect(exitCode).toBe(130)
  expect(saved?.notePath).toContain('note.md')
  expect(stdin.isRaw).toBe(false)
  expect(isRestored(stdout.written)).toBe(true)
  expect(stdout.written.slice(stdout.written.lastIndexOf('\u001b[?1049l'))).toContain('note.md')
})

test('a signal ends it the same way', async () => {
  const aborter = new AbortController()
  const { stdout, end } = begin(sampleBackend(), aborter.signal)
  await until(() => stdout.written.includes('Next ▸'))
  aborter.abort()
  expect(await end).toMatchObject({ exitCode: 130 })
  expect(isRestored(stdout.written)).toBe(true)
})

test('a crash of ours leaves a terminal one can type in, and is not swallowed', async () => {
  const broken: Backend = {
    ...sampleBackend(),
    get symptoms(): never {
      throw new Error('a bug of ours')
    },
  }
  const { stdin, stdout, end } = begin(broken)
  await expect(end).rejects.toThrow('a bug of ours')
  expect(isRestored(stdout.written)).toBe(true)
  expect(stdin.isRaw).toBe(false)
})

test('the function for crash handlers works at any time and twice', async () => {
  const { stdin, stdout, end, restores } = begin(sampleBackend())
  await until(() => stdout.written.includes('Next ▸'))
  for (const restore of [...restores, ...restores]) restore()
  expect(isRestored(stdout.written)).toBe(true)
  const { length } = stdout.written
  stdin.type('\u0003')
  await end
  expect(stdout.written.slice(length)).not.toContain('\u001b[?1049')
})

test('one key redraws only what it changes', async () => {
  const { stdin, stdout, end } = begin(sampleBackend())
  await until(() => stdout.written.includes('Next ▸'))
  const before = stdout.written.length
  stdin.type('j')
  await until(() => stdout.written.length > before)
  expect(stdout.written.slice(before)).not.toContain('all reads')
  stdin.type('\u0003')
  await end
})
