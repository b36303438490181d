import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { demos } from '../../src/cli/demo-list.ts'
import { rules } from '../../src/rules/index.ts'
import { hasShared, readJson, sharedFolder } from '../helpers/shared.ts'
import { readPage, root } from './pages.ts'

const manifest = JSON.parse(readPage('package.json'))

test('the package carries the recordings that demos play, and no others', () => {
  const carried = manifest.files.filter((path: string) => path.startsWith('fixtures/'))
  const played = demos.map(({ session }) => `fixtures/sessions/${session}.json.br`)
  expect(carried).toEqual([...new Set(played)].sort())
  for (const path of manifest.files) if (path !== 'dist') expect(existsSync(join(root, path)), path).toBe(true)
})

test('the package depends on nothing, and runs as a plugin of kubectl too', () => {
  expect(Object.keys(manifest.dependencies ?? {})).toEqual([])
  expect(manifest.bin).toEqual({ meshtriage: 'dist/main.js', 'kubectl-meshtriage': 'dist/main.js' })
})

test('the k9s plugins pass names as arguments of their own, and change nothing', () => {
  const { plugins } = parse(readPage('packaging/k9s/plugins.yaml'))
  for (const { command, args, scopes } of Object.values<any>(plugins)) {
    expect(scopes.length).toBeGreaterThan(0)
    if (command === 'meshtriage') continue
    // A shell is there for the pipe only; what k9s puts in comes behind the script.
    expect([command, args[0]]).toEqual(['sh', '-c'])
    expect(args[1]).not.toMatch(/\$(?:NAME|CONTEXT)/)
  }
})

test('the krew manifest is one once it is filled in', () => {
  const filled = readFileSync(join(root, 'packaging/krew/meshtriage.yaml'), 'utf8')
    .replaceAll('@VERSION@', manifest.version)
    .replaceAll('@BASE_URL@', 'https://example.org/releases')
    .replace(/@SHA256_\w+@/g, 'a'.repeat(64))
  expect(filled).not.toMatch(/@[A-Z]/)
  const { kind, metadata, spec } = parse(filled)
  expect([kind, metadata.name, spec.version]).toEqual(['Plugin', 'meshtriage', `v${manifest.version}`])
  expect(spec.platforms).toHaveLength(4)
  for (const { uri, sha256, bin } of spec.platforms) {
    expect(uri).toMatch(
      /^https:\/\/example\.org\/releases\/v[\d.]+\/meshtriage-(?:linux|darwin)-(?:x64|arm64)\.tar\.gz$/,
    )
    expect(sha256).toMatch(/^[a-f0-9]{64}$/)
    expect(bin).toBe('kubectl-meshtriage')
  }
})

test.skipIf(!hasShared)('every failure mode has a rule, or an entry that says what one would need', () => {
  const known: string[] = readJson(join(sharedFolder, 'facts/failure-modes.json')).map(({ id }: any) => id)
  const left: { code: string; needs: string }[] = JSON.parse(readPage('scripts/docs/not-covered.json'))
  const codes = rules.map(({ code }) => code)
  expect(left.map(({ code }) => code).sort()).toEqual(known.filter((id) => !codes.includes(id)).sort())
  for (const { needs } of left) expect(needs.length).toBeGreaterThan(30)
})
