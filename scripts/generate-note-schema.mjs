// Writes schemas/incident-note-1.0.schema.json from the zod schema. A test fails while the file is behind.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/model/note-schema.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
})
const { noteJsonSchema } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
)
mkdirSync(`${root}schemas`, { recursive: true })
writeFileSync(`${root}schemas/incident-note-1.0.schema.json`, `${JSON.stringify(noteJsonSchema(), null, 2)}\n`)
