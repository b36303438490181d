// node scripts/generate-docs.mjs [--check]: writes the pages of docs/ that are made from the program itself. With --check it writes nothing
// and ends with 1 where a page is behind.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
// Inside the checkout, since the bundle looks for the package's root above itself.
const folder = mkdtempSync(join(root, 'node_modules', '.docs-'))
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['scripts/docs/main.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: join(folder, 'docs.mjs'),
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    define: { 'import.meta.dirname': JSON.stringify(join(root, 'test', 'helpers')) },
    logLevel: 'error',
  })
  const { generate } = await import(pathToFileURL(join(folder, 'docs.mjs')).href)
  process.exitCode = await generate(root, folder, process.argv.includes('--check'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
