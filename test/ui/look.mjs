// node test/ui/look.mjs [FOLDER]: bundles the guided walk on made-up data; then `node FOLDER/look.mjs SCENARIO SPEED`.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
await build({
  absWorkingDir: root,
  entryPoints: ['test/ui/look.tsx'],
  outdir: process.argv[2] ?? 'node_modules/.cache/look',
  // Ink's devtools stay in a chunk that is never loaded.
  splitting: true,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
  external: ['react-devtools-core'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
