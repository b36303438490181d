import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import type { Note } from '../../src/model/note.ts'
import { captures, meshesFolder, readJson, sharedFolder } from '../helpers/shared.ts'

const root = resolve(import.meta.dirname, '../..')

/** Everything of one test file lies in here, and is gone when its tests have ended. */
export const workFolder = mkdtempSync(join(tmpdir(), 'e2e-'))
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+rwX', workFolder])
  rmSync(workFolder, { recursive: true, force: true })
})

let built: string | undefined

/** The program as it is shipped, in a folder of its own. */
export function builtMain(): string {
  if (built) return built
  const folder = join(workFolder, 'package')
  mkdirSync(folder, { recursive: true })
  for (const name of ['runbooks', 'schemas', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  if (!existsSync(join(folder, 'fixtures'))) symlinkSync(join(root, 'fixtures'), join(folder, 'fixtures'))
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(folder, 'dist')], { stdio: 'pipe' })
  built = join(folder, 'dist/main.js')
  return built
}

export interface RunOptions {
  readonly mesh?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string
  /** Flags of node itself, in front of the program. */
  readonly node?: readonly string[]
  /** Kill it without a word after so long. */
  readonly killAfterMs?: number
  readonly killSignal?: NodeJS.Signals
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A shell's environment with nothing in it but what the test says. Without `mesh` there is no kubectl and no istioctl. */
export function shellOf({ mesh, env }: RunOptions): Record<string, string> {
  const tools = mesh === undefined ? [] : [join(sharedFolder, 'meshbed/bin')]
  return {
    PATH: [...tools, dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    HOME: join(workFolder, 'home'),
    XDG_STATE_HOME: join(workFolder, 'state'),
    ...(mesh === undefined ? {} : { MESHBED: mesh.includes('/') ? mesh : join(meshesFolder, mesh) }),
    ...env,
  }
}

export function meshtriage(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const cwd = options.cwd ?? workFolder
  const child = spawn(process.execPath, [...(options.node ?? []), builtMain(), ...args], {
    env: shellOf(options),
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  const timer =
    options.killAfterMs === undefined
      ? undefined
      : setTimeout(() => child.kill(options.killSignal ?? 'SIGKILL'), options.killAfterMs)
  return new Promise((done) => {
    child.on('close', (code) => {
      clearTimeout(timer)
      done({ code, stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8') })
    })
  })
}

export function temp(name: string): string {
  return mkdtempSync(join(workFolder, `${name}-`))
}

/** The only folder in here. */
export function onlyFolder(folder: string): string {
  const [name, ...more] = readdirSync(folder)
  if (name === undefined || more.length > 0) throw new Error(`expected one folder in ${folder}`)
  return join(folder, name)
}

/** How an engineer would describe the call of a capture. */
export function callArgs(mesh: string): string[] {
  const { symptom, call } = readJson(join(meshesFolder, mesh, 'scenario.json'))
  return [
    symptom.arg ?? '503',
    ...(call.from === 'unknown' ? [] : ['--from', call.from]),
    '--to',
    call.to,
    ...(call.host ? ['--host', call.host] : []),
    ...(call.method ? ['--method', call.method] : []),
    ...(call.path ? ['--path', call.path] : []),
    ...Object.entries<string>(call.headers ?? {}).flatMap(([name, value]) => ['--header', `${name}=${value}`]),
  ]
}

/** A few captures stand for all of them, unless FULL=1 asks for all. */
export const sampled: readonly string[] = process.env.FULL
  ? captures
  : captures.filter((name) =>
      ['503-mutual-to-legacy', '403-deny-beats-allow', '401-wrong-issuer', 'ambient-l4-deny'].includes(name),
    )

export const readNote = (text: string): Note => JSON.parse(text) as Note

/** What may differ between a walk and its replay: when, where, and that it was one. */
const ofThisRun = new Set(['at', 'startedAt', 'finishedAt', 'durationMs', 'mode', 'session'])

export function comparable(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document, (key, value) => (ofThisRun.has(key) ? undefined : value)))
}

/** A capture in a folder of its own, to be changed. */
export function copyMesh(mesh: string): string {
  const folder = join(temp('mesh'), mesh)
  cpSync(join(meshesFolder, mesh), folder, { recursive: true })
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  return folder
}

/** All text below a folder, names of files included. */
export function everythingIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return entry.isFile() ? `${path}\n${readFileSync(path, 'latin1')}` : path
    })
    .join('\n')
}
