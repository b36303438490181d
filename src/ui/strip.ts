// ESC sequences (CSI, OSC up to BEL or ST, the short ones), then every other control, bidi, zero-width and tag character.
const sequences =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u009b[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g
// U+200D stays: it joins emoji, and Ink and we measure the joined one.
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu

/** Text from a tool or a cluster as one harmless line: nothing in it can move the cursor, colour the screen or reverse the reading. */
export function strip(text: string): string {
  if (/^[ -~]*$/.test(text)) return text
  return text.replace(sequences, '').replace(/\t/g, '  ').replace(/\r?\n/g, ' ').replace(invisible, '')
}

/** The same for text of several lines. */
export function stripLines(text: string): string[] {
  return text.split(/\r\n|\n|\r(?!\n)/).map(strip)
}
