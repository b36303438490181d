import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasShared } from '../helpers/shared.ts'
import { callArgs, meshtriage, onlyFolder, readNote, sampled, temp } from './built-cli.ts'

const meshes = process.env.FULL ? sampled : sampled.slice(0, 2)
const address = /\b10\.(?:\d+\.){2}\d+\b/

describe.skipIf(!hasShared)('names and addresses made unreadable', () => {
  test.each(meshes)('%s: the same verdict, and nobody can tell whose mesh it is', async (mesh) => {
    const [plain, parent] = [temp('plain'), temp('nameless')]
    const args = ['diagnose', ...callArgs(mesh), '-o', 'json', '-q']
    const open = readNote((await meshtriage([...args, '--save', plain], { mesh })).stdout)
    const ended = await meshtriage([...args, '--save', parent, '--pseudonyms'], { mesh })
    const note = readNote(ended.stdout)
    expect(note.verdict).toBe(open.verdict)
    expect(note.causes.map(({ code, certainty, layer }) => [code, certainty, layer])).toEqual(
      open.causes.map(({ code, certainty, layer }) => [code, certainty, layer]),
    )
    expect(ended.stdout).not.toMatch(address)
    for (const pod of open.call.hops.flatMap((hop) => hop.pod ?? []))
      expect(ended.stdout).not.toContain(pod.split('.')[0])
    for (const name of [open.call.from, open.call.host].flatMap((one) => one?.split('.')[0] ?? []))
      expect(ended.stdout).not.toMatch(new RegExp(`(?<![\\w-])${name}(?![\\w-])`))

    const folder = onlyFolder(parent)
    const map = JSON.parse(readFileSync(join(folder, 'names.json'), 'utf8'))
    expect(statSync(join(folder, 'names.json')).mode & 0o777).toBe(0o600)
    // What belongs together can still be joined, and the map leads back.
    const from = String(note.call.from).split('.')
    expect(from.map((part) => map[part]).join('.')).toBe(open.call.from)
    expect(readFileSync(join(folder, 'note.json'), 'utf8')).not.toMatch(address)
  })

  test('asked for in the settings, also for events and pages', async () => {
    const cwd = temp('settings')
    writeFileSync(join(cwd, '.meshtriage.yaml'), 'redact:\n  pseudonyms: true\n')
    const mesh = '403-deny-beats-allow'
    for (const more of [['--events'], ['-o', 'html'], ['-o', 'slack']]) {
      const ended = await meshtriage(['diagnose', ...callArgs(mesh), '--no-save', '-q', ...more], { mesh, cwd })
      expect(ended.code).toBe(79)
      expect(
        address
          .exec(ended.stdout)
          ?.input.slice(address.exec(ended.stdout)?.index ?? 0)
          .slice(0, 60) ?? '',
      ).toBe('')
      expect(ended.stdout).not.toMatch(/(?<![\w-])ledger(?![\w-])/)
    }
  })
})
