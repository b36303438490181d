// node test/ui/look.mjs [OUT]: bundles the guided walk on made-up data into one file to run in any terminal.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
await build({
  absWorkingDir: root,
  entryPoints: ['test/ui/look.tsx'],
  outfile: process.argv[2] ?? 'node_modules/.cache/look.mjs',
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
