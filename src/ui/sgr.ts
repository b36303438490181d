/** Takes Ink's own colour sequences away; nothing else is left in a frame, because every span was stripped. */
export function withoutColours(text: string): string {
  return text.includes('\u001b') ? text.replace(/\u001b\[[0-9;:]*m/g, '') : text
}
