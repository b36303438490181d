// Bundles src/main.ts into dist/, and beside it what threads load that read a large log. Ink and listr2 end up in chunks that load only where used.
import { readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
// Tests of the built program make their own, so that nobody else's build pulls it away under them.
const outdir = resolve(root, process.argv[2] ?? 'dist')
rmSync(outdir, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', 'log-worker': 'src/cli/log-worker.ts' },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minify: true,
  legalComments: 'none',
  chunkNames: 'chunk-[name]-[hash]',
  // Ink loads its devtools only in development; they are not installed.
  define: {
    __MESHTRIAGE_VERSION__: JSON.stringify(version),
    'process.env.NODE_ENV': '"production"',
    'process.env.DEV': '"false"',
    // We call nobody; that somebody's code asks whether there is a `fetch` makes node load all of it.
    fetch: 'undefined',
  },
  external: ['react-devtools-core'],
  plugins: [
    {
      // zod's messages in forty languages are half of it, and every start would read them. Ours are English.
      name: 'zod-in-english',
      setup: ({ onLoad }) =>
        onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
          contents: "export { default as en } from './en.js'",
        })),
    },
  ],
  banner: {
    // CommonJS parts of the bundle ask for `require`.
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
