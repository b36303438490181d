import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { createGzip, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { captures, hasShared, meshesFolder, readMaybeGzipped, sharedFolder } from '../helpers/shared.ts'
import { type Ended, meshtriage, readNote, temp, workFolder } from './built-cli.ts'
import { tarHeader, tarItem, tarOf } from './tar-of.ts'

const noProcess = ['--import', join(import.meta.dirname, 'offline-preload.mjs')]

/** Runs with a temporary folder of its own, and checks that nothing is left in it. */
async function open(args: readonly string[], options: { readonly cwd?: string } = {}): Promise<Ended> {
  const tmp = temp('tmp')
  const ended = await meshtriage(['diagnose', ...args, '--no-save'], {
    ...options,
    node: noProcess,
    env: { TMPDIR: tmp },
  })
  expect(readdirSync(tmp)).toEqual([])
  return ended
}

describe.skipIf(!hasShared)('real bug reports', () => {
  const names = hasShared ? readdirSync(join(sharedFolder, 'archives')).filter((name) => name.endsWith('.tar.gz')) : []
  const path = (name: string) => join(sharedFolder, 'archives', name)

  test.each(names)('%s: the cause, proven, as on the living mesh', async (name) => {
    const ended = await open([
      '503',
      '--open',
      path(name),
      '--from',
      'deploy/productpage-v1.default',
      '--to',
      'svc/reviews.default:9080',
      '-o',
      'json',
      '-q',
    ])
    expect(ended).toMatchObject({ code: 79, stderr: '' })
    const note = readNote(ended.stdout)
    expect(note).toMatchObject({
      mode: 'offline',
      verdict: 'cause',
      answeredBy: { hop: 'client-proxy', certainty: 'proven' },
      causes: [{ code: 'nc-subset-undefined', layer: 'client-sidecar-cluster', certainty: 'proven' }],
    })
    expect(note.causes[0]?.supporting.length).toBeGreaterThan(1)
  })

  test.each(names)('%s: nobody said which call; its logs show one, and that is walked', async (name) => {
    const ended = await open(['--open', path(name), '-o', 'json'])
    expect(ended.code).toBe(79)
    expect(ended.stderr).toMatch(/^bug report of istioctl 1\.\d+\.\d+, context \S+, \d+ proxies\n/)
    expect(readNote(ended.stdout).call).toMatchObject({ from: 'productpage-v1.default', to: 'reviews.default:9080' })
  })

  test('replay --open is the same walk', async () => {
    const ended = await meshtriage(['replay', '--open', path(names[0] ?? ''), '-o', 'json', '-q'])
    expect(readNote(ended.stdout).causes[0]?.code).toBe('nc-subset-undefined')
  })

  test('a symptom that the logs do not show: said, with how to name the call', async () => {
    const ended = await open(['403', '--open', path(names[0] ?? '')])
    expect(ended.code).toBe(80)
    expect(ended.stdout).toContain('No failing call of that kind')
  })

  test('a session of an archive replays without the archive', async () => {
    const parent = temp('saved')
    const live = await meshtriage(['diagnose', '--open', path(names[0] ?? ''), '--save', parent, '-o', 'json', '-q'])
    const replay = await meshtriage(['replay', join(parent, readdirSync(parent)[0] ?? ''), '-o', 'json', '-q'], {
      node: noProcess,
    })
    expect(readNote(replay.stdout).causes).toEqual(readNote(live.stdout).causes)
  })

  test('cut off anywhere: an answer or a clear message, never a crash', async () => {
    const whole = readFileSync(path(names.at(-1) ?? ''))
    for (const part of [0.02, 0.3, 0.6, 0.95]) {
      const cut = join(temp('cut'), 'cut.tar.gz')
      writeFileSync(cut, whole.subarray(0, Math.floor(whole.length * part)))
      const ended = await open([
        '503',
        '--open',
        cut,
        '--from',
        'deploy/productpage-v1.default',
        '--to',
        'svc/reviews.default:9080',
        '-o',
        'json',
      ])
      expect([65, 79, 80]).toContain(ended.code)
      if (ended.code !== 65) expect(readNote(ended.stdout).verdict).not.toBe('clean')
    }
  })
})

const line = (code: number, path: string, authority: string, cluster: string, flags = '-') =>
  `[2026-11-21T05:29:12.070Z] "GET ${path} HTTP/1.1" ${code} ${flags} via_upstream - "-" 0 95 0 - "-" "curl/7.88.1" "id-${code}-${path}" "${authority}" "10.1.0.4:8080" ${cluster} 10.1.0.3:56536 10.96.0.1:8080 10.1.0.3:56002 - default\n`

describe('archives made up for this', () => {
  const report = (log: string) =>
    gzipSync(
      tarOf([
        { name: 'bug-report/versions', text: 'CLI version:\nversion.BuildInfo{Version:"1.30.3"}\n' },
        { name: 'bug-report/proxies/shop/web-6d8f9c7b5d-x7k2p/istio-proxy.log', text: log },
      ]),
    )
  const file = (content: Buffer, name = 'bug-report.tar.gz') => {
    const path = join(temp('archive'), name)
    writeFileSync(path, content)
    return path
  }
  const log =
    line(503, '/a', 'ledger.pay:8080', 'outbound|8080||ledger.pay.svc.cluster.local', 'UC').repeat(3) +
    line(404, '/b', 'cart.shop', 'outbound|80||cart.shop.svc.cluster.local') +
    line(200, '/c', 'cart.shop', 'outbound|80||cart.shop.svc.cluster.local')

  test('several calls failed: they are listed, most frequent first, with the line to run', async () => {
    const path = file(report(log))
    const ended = await open(['--open', path])
    expect(ended.code).toBe(80)
    expect(ended.stdout).toContain(
      `$ meshtriage diagnose 503 --open ${path} --from deploy/web.shop --to svc/ledger.pay:8080\n`,
    )
    expect(ended.stdout.indexOf('ledger.pay')).toBeLessThan(ended.stdout.indexOf('cart.shop'))
    const list = JSON.parse((await open(['--open', path, '-o', 'json'])).stdout)
    expect(list).toMatchObject({
      kind: 'FailingCalls',
      calls: [
        { symptom: '503', from: 'deploy/web.shop', to: 'svc/ledger.pay:8080', count: 3, said: ['UC via_upstream'] },
        { symptom: '404', from: 'deploy/web.shop', to: 'svc/cart.shop:80', count: 1 },
      ],
    })
    // The line that is offered works.
    const args = list.calls[1].command.split(' ').slice(2)
    expect((await open([...args, '-q', '-o', 'json'])).code).toBe(80)
  })

  test('a symptom, or an end, chooses among them', async () => {
    const path = file(report(log))
    for (const args of [['404'], ['--to', 'svc/cart.shop']])
      expect(readNote((await open([...args, '--open', path, '-q', '-o', 'json'])).stdout)).toMatchObject({
        symptom: { id: '404' },
        call: { to: expect.stringContaining('cart.shop') },
      })
  })

  test.each([
    ['no archive at all', () => file(Buffer.from('hello, this is a text and no archive')), 'is not a tar archive'],
    ['an empty file', () => file(Buffer.alloc(0)), ''],
    ['gzip of nothing', () => file(gzipSync('')), ''],
    ['half of a gzip', () => file(report(log).subarray(0, 40)), ''],
    ['an empty folder', () => temp('empty'), 'nothing in this folder can be read'],
    ['nothing there', () => join(workFolder, 'nowhere'), 'cannot be found'],
    [
      'names that lead out only',
      () =>
        file(
          tarOf([
            { name: '../../../evil', text: 'x' },
            { name: '/etc/evil', text: 'x' },
            { name: 'a/../../evil', text: 'x' },
          ]),
          'x.tar',
        ),
      'holds nothing that can be read',
    ],
    [
      'links and devices only',
      () =>
        file(
          tarOf([
            { name: 'a', type: '2', link: '/etc/passwd' },
            { name: 'b', type: '1', link: '/etc/passwd' },
            { name: 'c', type: '3' },
            { name: 'd', type: '6' },
          ]),
          'x.tar',
        ),
      'holds nothing that can be read',
    ],
  ])('%s: exit 65 and one line that says so', async (_, make, says) => {
    const cwd = temp('cwd')
    const ended = await open(['503', '--open', make(), '--to', 'svc/a.b'], { cwd })
    expect(ended).toMatchObject({ code: 65, stdout: '', stderr: expect.stringContaining(says) })
    expect(ended.stderr).not.toMatch(/\n\s+at /)
    expect(readdirSync(cwd)).toEqual([])
    expect(existsSync(join(workFolder, 'evil'))).toBe(false)
  })

  test('hostile entries among good ones: passed over, nothing written outside', async () => {
    const good = line(503, '/a', 'ledger.pay:8080', 'outbound|8080||ledger.pay.svc.cluster.local', 'UC')
    const path = file(
      gzipSync(
        tarOf([
          { name: '../evil', text: 'x' },
          { name: `${workFolder}/evil`, text: 'x' },
          { name: 'bug-report/proxies/shop/web-1/istio-proxy.log', type: '2', link: '/etc/passwd' },
          { name: 'bug-report/proxies/shop/web-2/istio-proxy.log', text: good },
          { name: 'bug-report/proxies/shop/\u001b[2J\u009b\u202e/istio-proxy.log', text: good },
        ]),
      ),
    )
    for (const format of ['json', 'yaml', 'text']) {
      const ended = await open(['--open', path, '-o', format])
      expect([79, 80]).toContain(ended.code)
      expect(ended.stdout + ended.stderr).not.toMatch(/root:|[\u001b\u009b\u202e]/)
    }
    expect(existsSync(join(workFolder, 'evil')) || existsSync(join(dirname(path), '../evil'))).toBe(false)
  })

  test('a bomb: refused before it fills a disk', async () => {
    const path = join(temp('bomb'), 'bomb.tar.gz')
    const gzip = createGzip({ level: 1 })
    const out = gzip.pipe(createWriteStream(path))
    // Entries that say they are 400 GB: what follows is zeros that pack to nothing.
    gzip.write(tarHeader('bug-report/proxies/a/b/istio-proxy.log', 0o77777777777))
    for (let at = 0; at < 64; at++)
      if (!gzip.write(Buffer.alloc(1024 * 1024))) await new Promise((done) => gzip.once('drain', () => done(undefined)))
    gzip.end()
    await finished(out)
    expect(statSync(path).size).toBeLessThan(1024 * 1024)
    const ended = await open(['503', '--open', path, '--to', 'svc/a.b'])
    expect(ended).toMatchObject({ code: 65, stdout: '' })
  }, 60_000)

  test('many entries: streamed, at a memory that does not grow with them', async () => {
    const path = join(temp('large'), 'large.tar.gz')
    const gzip = createGzip({ level: 1 })
    const out = gzip.pipe(createWriteStream(path))
    const megabyte = line(200, '/c', 'cart.shop', 'outbound|80||cart.shop.svc.cluster.local').repeat(4000)
    for (let at = 0; at < 120; at++)
      if (!gzip.write(tarItem({ name: `bug-report/proxies/shop/web-${at}/istio-proxy.log`, text: megabyte })))
        await new Promise((done) => gzip.once('drain', () => done(undefined)))
    gzip.write(tarItem({ name: 'bug-report/proxies/shop/last-1/istio-proxy.log', text: log }))
    gzip.end(Buffer.alloc(1024))
    await finished(out)
    const ended = await meshtriage(
      [
        'diagnose',
        '503',
        '--open',
        path,
        '--from',
        'pod/last-1.shop',
        '--to',
        'svc/ledger.pay:8080',
        '--no-save',
        '-q',
        '-o',
        'short',
      ],
      { node: ['--max-old-space-size=96', ...noProcess] },
    )
    expect(ended.code).toBe(80)
  }, 60_000)
})

describe.skipIf(!hasShared)('a folder of what somebody saved', () => {
  const mesh = '403-deny-beats-allow'

  /** `kubectl get -o json` files, the proxies' dumps and logs of a capture, as a person would lay them down. */
  function savedFolder(): string {
    const folder = temp('saved')
    const from = join(meshesFolder, mesh)
    const write = (name: string, text: string) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    for (const name of readdirSync(join(from, 'objects'))) {
      const plain = name.replace(/\.gz$/, '')
      write(`objects/${plain}`, readMaybeGzipped(join(from, 'objects', plain)))
    }
    for (const proxy of readdirSync(join(from, 'proxies')))
      write(`dumps/${proxy}.config_dump.json`, readMaybeGzipped(join(from, 'proxies', proxy, 'config_dump.json')))
    for (const namespace of readdirSync(join(from, 'logs')))
      for (const pod of readdirSync(join(from, 'logs', namespace)))
        for (const name of readdirSync(join(from, 'logs', namespace, pod)).filter((one) => /\.log(\.gz)?$/.test(one))) {
          const plain = name.replace(/\.gz$/, '')
          write(`logs/${namespace}/${pod}/${plain}`, readMaybeGzipped(join(from, 'logs', namespace, pod, plain)))
        }
    return folder
  }

  test('gives the cause that the living mesh gave', async () => {
    expect(captures).toContain(mesh)
    const folder = savedFolder()
    const scenario = JSON.parse(readFileSync(join(meshesFolder, mesh, 'scenario.json'), 'utf8'))
    const ended = await open([
      '403',
      '--open',
      folder,
      '--from',
      scenario.call.from,
      '--to',
      scenario.call.to,
      '--method',
      scenario.call.method,
      '--path',
      scenario.call.path,
      '-o',
      'json',
      '-q',
    ])
    expect(ended.code).toBe(79)
    expect(readNote(ended.stdout)).toMatchObject({
      mode: 'offline',
      causes: [{ code: 'authz-deny-rule-matched', certainty: 'proven' }],
    })
  })

  test('links in it are not followed, and damaged files cost their own evidence only', async () => {
    const folder = savedFolder()
    symlinkSync('/etc/passwd', join(folder, 'logs/passwd.log'))
    symlinkSync('/etc', join(folder, 'etc'))
    truncateSync(join(folder, 'objects', 'namespaces.json'), 100)
    writeFileSync(join(folder, 'objects', 'note.json'), '{"kind": ')
    const ended = await open([
      '403',
      '--open',
      folder,
      '--from',
      'deploy/web.shop',
      '--to',
      'svc/ledger.pay:8080',
      '-o',
      'json',
    ])
    expect([79, 80]).toContain(ended.code)
    expect(ended.stdout).not.toContain('root:')
  })
})
