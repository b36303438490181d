// node scripts/licences.mjs [--check]: writes NOTICE, the licences of everything that is bundled into dist. With --check it writes nothing.
// Either way it fails where a package has a licence that is not on the list, or none.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const accepted = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'])

const packages = await bundledPackages()
const unknown = packages.filter(({ licence }) => !accepted.has(licence))
if (unknown.length > 0) {
  for (const { name, version, licence } of unknown)
    console.error(`licences: ${name} ${version} has ${licence || 'no licence'}, which nobody has agreed to`)
  process.exit(1)
}
const text = notice()
const file = join(root, 'NOTICE')
const isCurrent = existsSync(file) && readFileSync(file, 'utf8') === text
if (process.argv.includes('--check')) {
  if (!isCurrent) console.error('licences: NOTICE is behind; node scripts/licences.mjs writes it')
  process.exitCode = isCurrent ? 0 : 1
} else if (!isCurrent) writeFileSync(file, text)
const counts = new Map()
for (const { licence } of packages) counts.set(licence, (counts.get(licence) ?? 0) + 1)
console.log(
  `${packages.length} packages are bundled: ${[...counts].map(([licence, number]) => `${number} ${licence}`).join(', ')}`,
)

/** What really ends up in dist, as esbuild counts it: not what happens to be installed. */
async function bundledPackages() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    minify: true,
    write: false,
    metafile: true,
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    external: ['react-devtools-core'],
    logLevel: 'error',
  })
  const folders = new Set(
    Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.keys(inputs))
      .flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []),
  )
  return [...folders]
    .map((folder) => {
      const { name, version, license, author } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const own = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e(?:[.-]|$)/i.test(entry))
      const holder = typeof author === 'string' ? author : (author?.name ?? name)
      return {
        name,
        version,
        licence: license ?? '',
        text: own
          ? readFileSync(join(root, folder, own), 'utf8')
              .replaceAll('\r\n', '\n')
              .trim()
          : null,
        holder: holder.replace(/\s*[<(].*$/, ''),
      }
    })
    .filter(
      ({ name, version }, index, all) => all.findIndex((one) => one.name === name && one.version === version) === index,
    )
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))
}

/** Texts that differ in nothing but their copyright lines are printed once. */
function notice() {
  const mit = packages.find(({ licence, text: own }) => licence === 'MIT' && own)?.text ?? ''
  const groups = new Map()
  for (const { name, version, licence, text: own, holder } of packages) {
    // A package without the text declares its licence all the same: the usual text, and its author as the holder.
    const whole =
      own ?? (licence === 'MIT' ? `Copyright (c) ${holder}\n\n${withoutCopyright(mit)}` : `${licence}, ${holder}`)
    const copyright = whole
      .split('\n')
      .filter((line) => isCopyright(line))
      .map((line) => line.trim())
    const body = withoutCopyright(whole)
    const key = body
      .replace(/^(?:The )?MIT License(?: \(MIT\))?$/im, '')
      .replace(/[\s"“”*]+/g, ' ')
      .trim()
      .toLowerCase()
    const group = groups.get(key) ?? { licence, body, members: [] }
    group.members.push(`${name} ${version}${copyright.map((line) => `\n    ${line}`).join('')}`)
    groups.set(key, group)
  }
  const parts = [...groups.values()].map(
    ({ licence, body, members }) =>
      `${'-'.repeat(80)}\n${licence}\n\n${members.map((line) => `- ${line}`).join('\n')}\n\n${body}\n`,
  )
  return `meshtriage\nLicensed under the Apache License, Version 2.0; see LICENSE.\n\nThe program in dist contains the following packages. This file is made by scripts/licences.mjs.\n\n${parts.join('\n')}`
}

function isCopyright(line) {
  return /^\s*copyright (?!notice|holder|owner|licen|and )/i.test(line)
}

function withoutCopyright(text) {
  return text
    .split('\n')
    .filter((line) => !isCopyright(line))
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
