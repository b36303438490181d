import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Captures, golden files and oracle cases live beside the checkout. Tests that need them skip with a message without them. */
export const sharedFolder = process.env.MESHTRIAGE_SHARED ?? resolve(import.meta.dirname, '../../../shared')
export const hasShared = existsSync(sharedFolder)
if (!hasShared)
  console.warn('no shared folder beside the checkout: tests on captures, golden files and the oracle are skipped')

export const meshesFolder = join(sharedFolder, 'meshbed/meshes')
export const captures: readonly string[] = hasShared ? readdirSync(meshesFolder).sort() : []

/** A file of a capture, whether it is stored plain or gzipped. */
export function readMaybeGzipped(path: string): string {
  if (existsSync(path))
    return path.endsWith('.gz') ? gunzipSync(readFileSync(path)).toString('utf8') : readFileSync(path, 'utf8')
  return gunzipSync(readFileSync(`${path}.gz`)).toString('utf8')
}

export function readJson(path: string): any {
  return JSON.parse(readMaybeGzipped(path))
}
