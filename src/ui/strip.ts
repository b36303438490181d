import { forTerminal } from '../report/escape.ts'

/** Text from a tool or a cluster as one harmless line: nothing in it can move the cursor, colour the screen or reverse the reading. */
export function strip(text: string): string {
  if (/^[ -~]*$/.test(text)) return text
  return forTerminal(text).replace(/\t/g, '  ').replace(/\n+/g, ' ')
}

/** The same for text of several lines. */
export function stripLines(text: string): string[] {
  return forTerminal(text).replace(/\t/g, '  ').split('\n')
}
