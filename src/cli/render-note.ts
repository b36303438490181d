import { UserError } from '../model/errors.ts'
import type { Note } from '../model/note.ts'
import type { NoteFormat } from './shared-options.ts'

/** Each rendering is loaded only where it is used. */
export async function renderNote(
  note: Note,
  format: NoteFormat,
  options: { readonly width: number; readonly colour: boolean },
): Promise<string> {
  switch (format) {
    case 'json':
      return (await import('../report/json.ts')).json(note)
    case 'yaml':
      return (await import('../report/yaml.ts')).yaml(note)
    case 'markdown':
      return (await import('../report/markdown.ts')).markdown(note)
    case 'html':
      return (await import('../report/html.ts')).html(note)
    case 'slack':
      return (await import('../report/slack.ts')).slack(note)
    case 'short':
      return (await import('../report/short.ts')).short(note)
    case 'text':
      return (await import('../report/text.ts')).text(note, options)
  }
}

/** What leaves the terminal for a browser or a chat is never unredacted. */
export function refuseUnredacted(format: NoteFormat, redact: boolean): void {
  if (!redact && (format === 'html' || format === 'slack'))
    throw new UserError(
      `--no-redact is refused for -o ${format}`,
      'a page or a chat is read by others; use -o text or -o json',
    )
}
