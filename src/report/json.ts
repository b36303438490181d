import { type Note, orderNote } from '../model/note.ts'

// JSON leaves these as they are: C1 controls (a terminal may take U+009B for an escape), bidi and zero-width characters.
export const unsafe = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e0fff}]/u

/** The note as JSON, in the schema's key order; characters that could fool a terminal are written as escapes. */
export function json(note: Note): string {
  return `${unsafeEscaped(JSON.stringify(orderNote(note), null, 2))}\n`
}

/** For text in which such characters stand only inside of double quotes. */
export function unsafeEscaped(text: string): string {
  return text.replace(new RegExp(unsafe.source, 'gu'), (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
