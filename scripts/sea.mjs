// node scripts/sea.mjs [FILE]: one executable file for the platform it runs on, with Node, the program, runbooks, schemas and demos in it.
// Building wants Node 25.7 or newer (`--build-sea` with a module as its main); running the result wants nothing.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { shippedFiles } from './shipped-files.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const node = process.env.SEA_NODE ?? process.execPath
const [major = 0, minor = 0] = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  .split('.')
  .map(Number)
if (major < 25 || (major === 25 && minor < 7)) {
  console.error(`sea: ${node} is Node ${major}.${minor}; building wants 25.7 or newer. Name one with SEA_NODE=…`)
  process.exit(69)
}
const suffix = process.platform === 'win32' ? '.exe' : ''
const output = resolve(
  process.argv[2] ?? join(root, 'dist-sea', `meshtriage-${process.platform}-${process.arch}${suffix}`),
)
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Where the program believes its own files to be. Nothing of a real disk is called so. */
const inside = '/@meshtriage'

/** Reads of the package's own files come from the executable; every other file is a file. */
const embeddedFiles = `
import * as disk from 'node:fs'
import { getAsset, getAssetKeys } from 'node:sea'
export * from 'node:fs'
const keyOf = (path) => {
  const text = String(path).replaceAll('\\\\', '/')
  return text.startsWith('${inside}/') ? text.slice(${inside.length + 1}) : null
}
export function readFileSync(path, options) {
  const key = keyOf(path)
  if (key === null) return disk.readFileSync(path, options)
  const encoding = typeof options === 'string' ? options : options?.encoding
  return encoding ? getAsset(key, encoding) : Buffer.from(getAsset(key))
}
export function existsSync(path) {
  const key = keyOf(path)
  if (key === null) return disk.existsSync(path)
  return getAssetKeys().some((known) => known === key || known.startsWith(key + '/'))
}
export function readdirSync(path, options) {
  const key = keyOf(path)
  if (key === null) return disk.readdirSync(path, options)
  return getAssetKeys().flatMap((known) => known.startsWith(key + '/') ? [known.slice(key.length + 1)] : []).filter((name) => !name.includes('/'))
}
`

const embed = {
  name: 'embed',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /[\\/]library[\\/]package-root\.ts$/ }, () => ({
      contents: `export const packageRoot = () => ${JSON.stringify(inside)}`,
      loader: 'js',
    }))
    // Ink asks for it in development only, but a single file cannot leave an import open.
    onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'nothing' }))
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'export default {}', loader: 'js' }))
    onResolve({ filter: /^node:fs$/ }, ({ importer }) =>
      importer !== 'embedded-files' && /from '[^']*package-root\.ts'/.test(sourceOf(importer))
        ? { path: 'embedded-files', namespace: 'embedded' }
        : undefined,
    )
    onLoad({ filter: /./, namespace: 'embedded' }, () => ({ contents: embeddedFiles, loader: 'js' }))
  },
}

function sourceOf(file) {
  return file.startsWith(root) && !relative(root, file).startsWith('node_modules') ? readFileSync(file, 'utf8') : ''
}

const work = mkdtempSync(join(tmpdir(), 'sea-'))
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outfile: join(work, 'main.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node25',
    minify: true,
    legalComments: 'none',
    define: {
      __MESHTRIAGE_VERSION__: JSON.stringify(version),
      'process.env.NODE_ENV': '"production"',
      'process.env.DEV': '"false"',
    },
    plugins: [embed],
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(process.execPath);",
    },
    logLevel: 'warning',
  })
  mkdirSync(dirname(output), { recursive: true })
  const config = join(work, 'sea.json')
  writeFileSync(
    config,
    JSON.stringify({
      main: join(work, 'main.mjs'),
      mainFormat: 'module',
      output,
      disableExperimentalSEAWarning: true,
      assets: Object.fromEntries(shippedFiles(root).map((path) => [path, join(root, path)])),
    }),
  )
  execFileSync(node, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  // Apple's loader refuses a changed binary until it is signed again, be it by nobody in particular.
  if (process.platform === 'darwin') execFileSync('codesign', ['--sign', '-', '--force', output])
  console.log(output)
} finally {
  rmSync(work, { recursive: true, force: true })
}
