import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../model/errors.ts'
import type { Session } from '../model/session.ts'
import { readSession } from './session-files.ts'

export interface SessionSummary {
  readonly folder: string
  readonly session: Session
  readonly bytes: number
}

/** Sessions below a folder, newest first. Folders that are none are left out. */
export async function listSessions(parent: string): Promise<SessionSummary[]> {
  const names = await readdir(parent, { withFileTypes: true }).catch(() => [])
  const found: SessionSummary[] = []
  for (const { name } of names.filter((entry) => entry.isDirectory())) {
    const folder = join(parent, name)
    const session = await readSession(folder).catch((error: unknown) => {
      if (error instanceof UserError) return undefined
      throw error
    })
    if (session) found.push({ folder, session, bytes: await folderSize(folder) })
  }
  return found.sort((left, right) => right.session.startedAt.localeCompare(left.session.startedAt))
}

async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

export interface PruneLimits {
  /** Sessions that started before this are removed (RFC 3339). */
  readonly before?: string
  /** This many of the newest stay, whatever their age. */
  readonly keep?: number
}

/** Removes old sessions, and returns what was removed. Nothing that is no session is touched. */
export async function pruneSessions(parent: string, { before, keep = 0 }: PruneLimits): Promise<readonly string[]> {
  const sessions = await listSessions(parent)
  const old = sessions.slice(keep).filter(({ session }) => before === undefined || session.startedAt < before)
  for (const { folder } of old) await rm(folder, { recursive: true, force: true })
  return old.map(({ folder }) => folder)
}
