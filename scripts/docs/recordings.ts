import type { Note } from '../../src/model/note.ts'
import { toNote } from '../../src/report/to-note.ts'
import { type Played, play } from '../../test/helpers/play.ts'
import { fixtureNames, readFixture, type SessionFixture } from '../../test/helpers/session-fixtures.ts'

export interface Recording {
  readonly name: string
  readonly fixture: SessionFixture
  readonly played: Played
  readonly note: Note
}

/** Every recorded mesh, walked with today's rules. */
export async function playAll(): Promise<readonly Recording[]> {
  const found: Recording[] = []
  for (const name of fixtureNames) {
    const fixture = readFixture(name)
    const played = await play(name)
    found.push({ name, fixture, played, note: noteOf(name, played) })
  }
  return found
}

export function noteOf(name: string, { state }: Played): Note {
  return toNote(state, {
    id: `example-${name}`,
    // Generated pages must not change with every release.
    tool: { name: 'meshtriage', version: '0.0.0-example' },
    context: null,
    redaction: { applied: true, rules: [], counts: {} },
    session: null,
    now: '2026-01-01T00:00:00Z',
  })
}
