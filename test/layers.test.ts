import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** Folder → what its files may import. Folders name our own code, everything else is a package. `type:` allows types only. */
const allowed: Record<string, readonly string[]> = {
  'src/model': ['zod'],
  parsers: ['src/model', 'zod'],
  'src/mesh': ['src/model', 'type:parsers'],
  'src/situation': ['src/model', 'src/mesh', 'type:parsers', 'type:src/probes'],
  'src/probes': ['src/model', 'parsers', 'src/mesh', 'src/situation', 'yaml'],
  'src/rules': ['src/model', 'src/mesh', 'src/situation', 'type:src/probes', 'type:parsers'],
  'src/engine': ['src/model'],
  'src/report': ['src/model', 'src/mesh', 'type:parsers', 'yaml'],
  'src/exec': ['src/model', 'execa', 'node:*', 'type:parsers'],
  'src/library': ['src/model', 'yaml', 'node:*'],
  'src/progress': ['src/model', 'src/report', 'listr2'],
  'src/ui': ['src/model', 'src/report', 'src/mesh', 'ink', 'react', 'react/jsx-runtime'],
  'src/cli': ['src/*', 'parsers', 'node:*', 'commander', 'yaml', 'zod', 'ink', 'react'],
  'src/main.ts': ['src/*', 'node:*'],
}

describe('imports point one way', () => {
  for (const file of [...sources('src'), ...sources('parsers')]) {
    test(file, () => {
      const layer = layerOf(file)
      const may = allowed[layer]
      if (!may) throw new Error(`${file} is in no layer`)
      for (const { specifier, typeOnly } of imports(readFileSync(join(root, file), 'utf8'))) {
        const target = specifier.startsWith('.')
          ? layerOf(relative(root, resolve(root, dirname(file), specifier)))
          : specifier
        if (target === layer) continue
        const fits = may.some((entry) => {
          const typesOnly = entry.startsWith('type:')
          const name = typesOnly ? entry.slice(5) : entry
          if (typesOnly && !typeOnly) return false
          return name === target || (name.endsWith('*') && target.startsWith(name.slice(0, -1)))
        })
        expect(fits, `${file} imports ${specifier}, which ${layer} may not`).toBe(true)
      }
    })
  }
})

function layerOf(path: string): string {
  const parts = path.split('/')
  if (parts[0] === 'parsers') return 'parsers'
  if (parts[0] === 'src' && parts.length === 2) return path
  return parts.slice(0, 2).join('/')
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

function imports(source: string): { specifier: string; typeOnly: boolean }[] {
  const found: { specifier: string; typeOnly: boolean }[] = []
  for (const match of source.matchAll(/^(?:import|export)\s+(type\s+)?[^'";]*?from\s+'([^']+)'/gm))
    found.push({ specifier: match[2] ?? '', typeOnly: match[1] !== undefined })
  for (const match of source.matchAll(/^import\s+'([^']+)'/gm))
    found.push({ specifier: match[1] ?? '', typeOnly: false })
  for (const match of source.matchAll(/\bimport\(\s*'([^']+)'\s*\)(\.\w)?/g))
    found.push({ specifier: match[1] ?? '', typeOnly: match[2] !== undefined })
  return found
}
