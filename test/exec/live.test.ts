import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLive, type LiveOptions } from '../../src/exec/live.ts'
import type { Command } from '../../src/model/command.ts'
import { captures, hasShared, meshesFolder, sharedFolder } from '../helpers/shared.ts'

const never = new AbortController().signal
const get = (timeoutMs = 10_000): Command => ({
  file: 'kubectl',
  args: ['get', 'pods', '-n', 'shop', '-o', 'json'],
  timeoutMs,
})

describe('a tool of our own making', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'live-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A kubectl that runs this script. */
  function live(script: string, options: Partial<LiveOptions> = {}, more: Record<string, string> = {}) {
    const path = join(folder, 'kubectl')
    writeFileSync(path, `#!${process.execPath}\n${script}\n`)
    chmodSync(path, 0o755)
    return createLive({
      env: { PATH: `${folder}${delimiter}${process.env.PATH}`, ...more },
      killGraceMs: 200,
      ...options,
    })
  }

  test('streams and exit code come back as they were', async () => {
    const { run } = live('process.stdout.write("out ü\\n"); process.stderr.write("err\\n"); process.exitCode = 7')
    expect(await run(get(), never)).toMatchObject({
      exit: { kind: 'exited', code: 7 },
      stdout: 'out ü\n',
      stderr: 'err\n',
    })
  })

  test('the person’s cluster is named to the tool, before a --', async () => {
    const { run } = live('console.log(JSON.stringify(process.argv.slice(2)))', {
      context: 'prod',
      kubeconfig: '/k',
      as: 'dev',
      asGroups: ['ops'],
    })
    const args = ['exec', 'web-1', '-c', 'istio-proxy', '--', 'pilot-agent', 'request', 'GET', 'stats']
    const { stdout } = await run({ file: 'kubectl', args, timeoutMs: 5000 }, never)
    expect(JSON.parse(stdout)).toEqual([
      ...args.slice(0, 4),
      '--context=prod',
      '--kubeconfig=/k',
      '--as=dev',
      '--as-group=ops',
      ...args.slice(4),
    ])
  })

  test('what changes the output for one person is not handed on', async () => {
    const { run } = live(
      'console.log(JSON.stringify(process.env))',
      {},
      { ISTIOCTL_PREFER_EXPERIMENTAL: 'true', KUBECTL_EXTERNAL_DIFF: 'x', FORCE_COLOR: '1', HOME: '/h' },
    )
    const env = JSON.parse((await run(get(), never)).stdout)
    expect(env).toMatchObject({ NO_COLOR: '1', TERM: 'dumb', HOME: '/h' })
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['ISTIOCTL_PREFER_EXPERIMENTAL']))
    expect(env.KUBECTL_EXTERNAL_DIFF ?? env.FORCE_COLOR).toBeUndefined()
  })

  test('stdin is closed, so that a prompt cannot wait', async () => {
    const { run } = live('process.stdin.resume().on("end", () => console.log("no one there"))')
    expect((await run(get(), never)).stdout).toBe('no one there\n')
  })

  test('a hanging command is ended, with what it had printed so far', async () => {
    const { run } = live('console.log("half"); setInterval(() => {}, 1000)')
    const result = await run(get(700), never)
    expect(result).toMatchObject({ exit: { kind: 'timed-out' }, stdout: 'half\n' })
    expect(result.durationMs).toBeLessThan(3000)
  })

  test('its children end too, even those that ignore the polite signal', async () => {
    const pidFile = join(folder, 'grandchild')
    const { run } = live(`
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'pipe', 'inherit'] })
      child.stdout.on('data', () => require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid)))
      setInterval(() => {}, 1000)`)
    expect((await run(get(1500), never)).exit).toEqual({ kind: 'timed-out' })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await expect.poll(() => isRunning(pid), { timeout: 5000 }).toBe(false)
  })

  test('a command that ends while its child keeps the pipe open does not keep us', async () => {
    const { run } = live(`
      require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 6000)'], { stdio: 'inherit', detached: true }).unref()
      console.log('done')`)
    const result = await run(get(20_000), never)
    expect(result).toMatchObject({ exit: { kind: 'exited', code: 0 }, stdout: 'done\n' })
    expect(result.durationMs).toBeLessThan(4000)
  })

  test('cancelling ends it at once', async () => {
    const cancel = new AbortController()
    const { run } = live('setInterval(() => {}, 1000)')
    const running = run(get(60_000), cancel.signal)
    setTimeout(() => cancel.abort(), 200)
    expect((await running).exit).toEqual({ kind: 'canceled' })
    expect((await run(get(), cancel.signal)).exit).toEqual({ kind: 'canceled' })
  })

  test('more output than memory should hold is an end of its own', async () => {
    const { run } = live(
      'const block = "x".repeat(65536); const more = () => { while (process.stdout.write(block)); process.stdout.once("drain", more) }; more()',
      { memoryLimitBytes: 1_000_000 },
    )
    const result = await run(get(), never)
    expect(result.exit).toEqual({ kind: 'too-big' })
    expect(result.stdout.length).toBeLessThanOrEqual(1_000_000)
  })

  test('or goes to a file, all of it, through the redaction', async () => {
    const path = join(folder, 'spooled')
    const transform = () => ({ push: (text: string) => text.toUpperCase(), end: () => 'END' })
    const { run } = live('process.stdout.write("abc".repeat(400_000))', {
      memoryLimitBytes: 500_000,
      spool: { file: () => path, transform },
    })
    const result = await run(get(), never)
    expect(result).toMatchObject({ exit: { kind: 'exited', code: 0 }, spooledTo: path })
    expect(result.stdout.length).toBeLessThanOrEqual(500_000)
    expect(readFileSync(path, 'utf8')).toBe(`${'ABC'.repeat(400_000)}END`)
  })

  test('a signal from elsewhere is an exit code, as in a shell', async () => {
    const { run } = live('process.kill(process.pid, "SIGKILL")')
    expect(await run(get(), never)).toMatchObject({
      exit: { kind: 'exited', code: 128 },
      stderr: 'ended by signal SIGKILL\n',
    })
  })

  test('a tool that is not there is not a failed command', async () => {
    const { run } = createLive({ env: { PATH: join(folder, 'nowhere') } })
    expect((await run(get(), never)).exit).toEqual({ kind: 'tool-missing' })
  })

  test('what is not on the list is never started', async () => {
    const trace = join(folder, 'started')
    const { run, stream } = live(`require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`)
    const command: Command = { file: 'kubectl', args: ['delete', 'pod', 'web-1'], timeoutMs: 1000 }
    expect((await run(command, never)).exit).toEqual({ kind: 'refused' })
    expect((await stream(command, never, () => {})).exit).toEqual({ kind: 'refused' })
    expect(existsSync(trace)).toBe(false)
  })

  test('no more than four at a time', async () => {
    const { run } = live(`
      const fs = require('node:fs'), path = ${JSON.stringify(join(folder, 'count'))} + process.pid
      fs.writeFileSync(path, '')
      setTimeout(() => { console.log(fs.readdirSync(${JSON.stringify(folder)}).filter((name) => /^count/.test(name)).length); fs.rmSync(path) }, 300)`)
    const results = await Promise.all(Array.from({ length: 9 }, () => run(get(), never)))
    const most = Math.max(...results.map(({ stdout }) => Number(stdout)))
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  test('a stream hands out chunks while the command runs, and ends on the signal', async () => {
    const cancel = new AbortController()
    const { stream } = live('setInterval(() => console.log("line"), 50)')
    let text = ''
    const ended = await stream({ ...get(), args: ['logs', 'web-1', '-f'] }, cancel.signal, (chunk) => {
      text += chunk
      if (text.length > 15) cancel.abort()
    })
    expect(ended.exit).toEqual({ kind: 'canceled' })
    expect(text).toMatch(/^(line\n){3,}/)
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie that nobody has waited for is not running.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe.skipIf(!hasShared)('on recorded meshes', () => {
  const capture = captures.find((name) => existsSync(join(meshesFolder, name, 'istioctl/1.30')))!
  const live = (faults: Record<string, string> = {}, options: Partial<LiveOptions> = {}) =>
    createLive({
      env: {
        ...process.env,
        PATH: `${join(sharedFolder, 'meshbed/bin')}${delimiter}${process.env.PATH}`,
        MESHBED: join(meshesFolder, capture),
        ...faults,
      },
      killGraceMs: 300,
      ...options,
    })
  const pods: Command = { file: 'kubectl', args: ['get', 'pods', '-A', '-o', 'json'], timeoutMs: 20_000 }

  test('kubectl answers', async () => {
    const result = await live().run(pods, never)
    expect(result.exit).toEqual({ kind: 'exited', code: 0 })
    expect(JSON.parse(result.stdout).items.length).toBeGreaterThan(3)
  })

  test('istioctl’s own log lines are not in front of what it prints', async () => {
    const command: Command = { file: 'istioctl', args: ['version', '-o', 'json'], timeoutMs: 20_000 }
    const { stdout, stderr } = await live({ MESHBED_FORBID_PORTFORWARD: '1' }).run(command, never)
    expect(stdout).toMatch(/^\{/)
    expect(stderr).toContain('port forward failed')
  })

  test('one that ignores SIGTERM ends all the same', async () => {
    const result = await live({ MESHBED_HANG: 'kubectl get!' }).run({ ...pods, timeoutMs: 1500 }, never)
    expect(result.exit).toEqual({ kind: 'timed-out' })
    expect(result.durationMs).toBeLessThan(5000)
  })

  test('a slow one is waited for', async () => {
    const result = await live({ MESHBED_DELAY: 'kubectl get=400' }).run(pods, never)
    expect(result.exit).toEqual({ kind: 'exited', code: 0 })
    expect(result.durationMs).toBeGreaterThanOrEqual(400)
  })

  test('no server, no permission and nonsense are results, never exceptions', async () => {
    expect(await live({ MESHBED_DOWN: '1' }).run(pods, never)).toMatchObject({
      exit: { kind: 'exited', code: 1 },
      stdout: '',
    })
    expect(await live({ MESHBED_FORBID: 'pods' }).run(pods, never)).toMatchObject({ exit: { kind: 'exited', code: 1 } })
    expect(await live({ MESHBED_GARBAGE: 'kubectl get' }).run(pods, never)).toMatchObject({
      exit: { kind: 'exited', code: 0 },
    })
  })
})
