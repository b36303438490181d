import type { Key } from 'ink'
import type { Press } from './keys.ts'

/** What the decoder must remember between two chunks of input. */
export interface Decoding {
  readonly pasting: boolean
  readonly text: string
}

export const notPasting: Decoding = { pasting: false, text: '' }

// A person's keys arrive one by one, or a few at a time over a slow line. More than this at once was pasted by a
// terminal without bracketed paste.
const pasteLength = 24

/** Turns what Ink read into presses. Bracketed paste is collected until its end, whatever it contains. */
export function decode(
  before: Decoding,
  input: string,
  key: Key,
): { readonly presses: readonly Press[]; readonly after: Decoding } {
  if (input === '[200~') return { presses: [], after: { pasting: true, text: '' } }
  if (input === '[201~') return { presses: before.pasting ? [paste(before.text)] : [], after: notPasting }
  if (before.pasting) return { presses: [], after: { pasting: true, text: before.text + written(input, key) } }
  // Over a slow line Esc and the next key arrive together and look like Alt; nothing here uses Alt.
  if (key.meta && !key.escape && input.length === 1)
    return { presses: [{ token: 'esc', text: '' }, single(input)], after: before }
  const name = named(input, key)
  if (name !== null) return { presses: name === '' ? [] : [{ token: name, text: '' }], after: before }
  const letters = [...input]
  const looksPasted = letters.length > pasteLength || /[\r\n]./s.test(input.trimEnd())
  if (looksPasted) return { presses: [paste(input)], after: before }
  return { presses: letters.map(single), after: before }
}

function paste(text: string): Press {
  return { token: 'paste', text: text.replace(/\r\n?/g, '\n') }
}

function single(letter: string): Press {
  if (letter === '\r' || letter === '\n') return { token: 'enter', text: '' }
  if (letter === '\t') return { token: 'tab', text: '' }
  if (letter === '\u007f' || letter === '\b') return { token: 'backspace', text: '' }
  if (letter === '\u0003') return { token: 'ctrl-c', text: '' }
  return letter < ' ' ? { token: '', text: '' } : { token: letter, text: letter }
}

function written(input: string, key: Key): string {
  if (key.return) return '\n'
  if (key.tab) return '\t'
  return input === '' ? '' : input
}

/** `null`: it is text. An empty name: a key nobody uses. */
function named(input: string, key: Key): string | null {
  if (key.ctrl) return input.length === 1 ? `ctrl-${input}` : ''
  if (key.upArrow) return 'up'
  if (key.downArrow) return 'down'
  if (key.leftArrow) return 'left'
  if (key.rightArrow) return 'right'
  if (key.pageUp) return 'pageup'
  if (key.pageDown) return 'pagedown'
  if (key.home) return 'home'
  if (key.end) return 'end'
  if (key.return) return 'enter'
  if (key.escape) return 'esc'
  if (key.tab) return key.shift ? 'shift-tab' : 'tab'
  // Terminals disagree which of the two the big key sends; forward delete is not needed here.
  if (key.backspace || key.delete) return 'backspace'
  if (key.meta) return ''
  return input === '' ? '' : null
}
