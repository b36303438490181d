const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const combining = /\p{Mn}|\p{Me}|[\ufe00-\ufe0f]/u

/** Columns in a terminal: East Asian and emoji characters take two, combining ones none. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += combining.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

/** Breaks at blanks; a word that is longer than a line is cut. Always gives at least one line. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
      for (const piece of pieces(word, width)) {
        const longer = line === '' ? piece : `${line} ${piece}`
        if (displayWidth(longer) <= width) line = longer
        else {
          lines.push(line)
          line = piece
        }
      }
    }
    lines.push(line)
  }
  return lines
}

function pieces(word: string, width: number): readonly string[] {
  if (displayWidth(word) <= width) return [word]
  const found: string[] = []
  let piece = ''
  for (const character of word) {
    if (piece !== '' && displayWidth(piece + character) > width) {
      found.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...found, piece]
}

/** A command over several lines that can still be pasted: it breaks at blanks outside of quotes only. */
export function wrapCommand(command: string, width: number): readonly string[] {
  const words = command.match(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|['"\\])+/g) ?? [command]
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`
    // Room for the ` \` at the end.
    if (line === '' || displayWidth(longer) <= width - 2) line = longer
    else {
      lines.push(`${line} \\`)
      line = `  ${word}`
    }
  }
  return [...lines, line]
}

export function truncate(text: string, length: number): string {
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}
