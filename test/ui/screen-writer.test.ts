import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createScreenWriter, frameChange } from '../../src/ui/screen-writer.ts'

class Terminal extends EventEmitter {
  columns = 20
  rows = 3
  written = ''
  write(text: string) {
    this.written += text
    return true
  }
}

const terminal = () => {
  const fake = new Terminal()
  // The writer uses size, `write` and events of a terminal, nothing else.
  return { fake, writer: createScreenWriter(fake as unknown as NodeJS.WriteStream) }
}

describe('drawing', () => {
  test('only lines that differ are written', () => {
    const change = frameChange(['same', 'old', 'same'], ['same', 'new', 'same'], 20)
    expect(change).toContain('new')
    expect(change).not.toContain('same')
  })
  test('the same frame writes nothing', () => expect(frameChange(['a', 'b'], ['a', 'b'], 20)).toBe(''))
  test('a line that got shorter leaves nothing behind', () =>
    expect(frameChange(['longer'], ['x'], 20)).toContain('\u001b[K'))
  test('a full line is not erased at its own end', () =>
    expect(frameChange([''], ['x'.repeat(20)], 20)).not.toContain('\u001b[K'))

  test('after a resize everything is drawn again', () => {
    const { fake, writer } = terminal()
    writer.open()
    writer.stdout.write('one\ntwo')
    fake.written = ''
    writer.stdout.write('one\ntwo')
    expect(fake.written).toBe('')
    fake.columns = 30
    writer.stdout.write('one\ntwo')
    expect(fake.written).toContain('one')
  })
})

describe('the terminal', () => {
  test('is put back: screen, cursor, paste mode, wrapping', () => {
    const { fake, writer } = terminal()
    writer.open()
    fake.written = ''
    writer.close()
    for (const code of ['?1049l', '?25h', '?2004l', '?7h']) expect(fake.written).toContain(code)
  })
  test('closing twice writes once, and nothing is drawn afterwards', () => {
    const { fake, writer } = terminal()
    writer.open()
    writer.close()
    const after = fake.written
    writer.close()
    writer.stdout.write('late frame')
    expect(fake.written).toBe(after)
  })
})
