// node bench/run.mjs [--log-mb 200] [--most-mb 2048] [--write]: everything that is promised about speed, as ratios measured in one run.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { best, ms, peakMegabytes, program, ratio, root, writeLog } from './measure.mjs'

const folder = mkdtempSync(join(tmpdir(), 'meshtriage-bench-'))
const logMegabytes = Number(argument('--log-mb') ?? 200)
const mostMegabytes = Number(argument('--most-mb') ?? 2048)
const rows = []
const sizes = []
const add = (what, mine, theirs, against, promise) => {
  const row = { what, mine, theirs, against, ratio: ratio(mine, theirs), promise }
  rows.push(row)
  console.log(`${what}: ${ms(mine)} against ${against} ${ms(theirs)}: ${row.ratio} ${promise}`)
}
const notes = []

try {
  start()
  walk()
  await logs()
  await largerLogs()
  await growth()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (process.argv.includes('--write')) writeFileSync(join(root, 'docs', 'benchmarks.md'), page())

function start() {
  const node = best(15, process.execPath, ['-e', '0'])
  add(
    '`meshtriage --version`',
    best(15, process.execPath, [program, '--version']),
    node,
    '`node -e 0`',
    'promised ≤ 1.5×',
  )
  add(
    '`meshtriage explain UF,URX`',
    best(15, process.execPath, [program, 'explain', 'UF,URX']),
    node,
    '`node -e 0`',
    'promised ≤ 2×',
  )
}

/** Tools that take a fixed time, so that what is left is ours: the critical path is what the walk itself has to wait for. */
function walk() {
  const bin = join(folder, 'bin')
  const session = join(root, 'fixtures', 'sessions', '503-dr-disable-strict.json.br')
  const { status } = spawnSync(process.execPath, [join(root, 'bench', 'slow-tools.mjs'), bin, session, '400'], {
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('the slow tools could not be made')
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    XDG_STATE_HOME: join(folder, 'state'),
    BENCH_TRACE: join(folder, 'trace.ndjson'),
  }
  const args = [
    program,
    'diagnose',
    '503',
    '--from',
    'deploy/web.shop',
    '--to',
    'svc/ledger.pay:8080',
    '-q',
    '-o',
    'json',
    '--no-save',
  ]
  const mine = best(3, process.execPath, args, { env })
  rmSync(env.BENCH_TRACE, { force: true })
  best(1, process.execPath, args, { env })
  const spans = readFileSync(env.BENCH_TRACE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  add(
    `a walk of a 503, ${spans.length} commands of 0.4 s, four at a time`,
    mine,
    criticalPath(spans),
    'the critical path of its commands',
    'promised ≤ 1.10×',
  )
}

/** Commands that overlap are waited for once: the time in which at least one of them ran. */
function criticalPath(spans) {
  const sorted = [...spans].sort((a, b) => a.start - b.start)
  let covered = 0
  let end = Number.NEGATIVE_INFINITY
  for (const { start: from, end: to } of sorted) {
    if (to <= end) continue
    covered += to - Math.max(from, end)
    end = to
  }
  return covered
}

async function logs() {
  const file = join(folder, 'access.log')
  const { lines, bytes } = await writeLog(file, logMegabytes)
  const mine = best(2, process.execPath, [program, 'logs', file, '-o', 'json'])
  const memory = peakMegabytes(process.execPath, [program, 'logs', file, '-o', 'json'])
  const awk = best(2, 'awk', ['{ n[$5" "$6]++ } END { for (k in n) print n[k], k }', file])
  const miller = best(1, 'mlr', ['--inidx', '--ifs', 'space', '--repifs', '--ojson', 'count', '-g', '5,6', file])
  const text = `${lines} lines, ${Math.round(bytes / 1048576)} MB`
  add(`access log, parsed and summarised (${text})`, mine, awk, '`awk` counting two fields', 'promised ≤ 5×')
  add('the same', mine, miller, '`mlr` counting two fields', 'promised ≤ 0.5×')
  notes.push(`Peak memory of that summary: ${memory ?? 'not measured'} MB (promised below 150 MB).`)
  if (!miller) notes.push('Miller was not installed where this was measured.')
}

/** What a log costs as it grows: time should grow with it, memory should not. */
async function largerLogs() {
  for (const megabytes of [1, 10, 100, 1024, 2048].filter((size) => size <= mostMegabytes)) {
    const file = join(folder, `access-${megabytes}.log`)
    await writeLog(file, megabytes)
    const args = [program, 'logs', file, '-o', 'json']
    const took = best(megabytes > 500 ? 1 : 3, process.execPath, args)
    sizes.push({ megabytes, took, peak: peakMegabytes(process.execPath, args) })
    console.log(`a log of ${megabytes} MB: ${ms(took)}, peak ${sizes.at(-1).peak} MB`)
    rmSync(file)
  }
}

async function growth() {
  const bundle = join(folder, 'parsers.mjs')
  await build({
    stdin: {
      contents:
        "export { default as endpoints } from './parsers/proxy-config-endpoint.ts'\nexport { default as listeners } from './parsers/proxy-config-listener.ts'\nexport { default as status } from './parsers/proxy-status.ts'\n",
      resolveDir: root,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: bundle,
    logLevel: 'error',
  })
  const { endpoints, status, listeners } = await import(pathToFileURL(bundle).href)
  const time = (work) => {
    let fastest = Number.POSITIVE_INFINITY
    for (let run = 0; run < 5; run++) {
      const started = performance.now()
      work()
      fastest = Math.min(fastest, performance.now() - started)
    }
    return fastest
  }
  for (const count of [10, 100, 1000, 10_000]) {
    const text = JSON.stringify(
      Array.from({ length: Math.ceil(count / 10) }, (_, index) => ({
        name: `outbound|80||svc-${index}.ns.svc.cluster.local`,
        addedViaApi: true,
        hostStatuses: Array.from({ length: 10 }, (_x, host) => ({
          address: { socketAddress: { address: `10.0.${index % 250}.${host}`, portValue: 8080 } },
          stats: [{ name: 'cx_total', value: '3' }],
          healthStatus: { edsHealthStatus: 'HEALTHY' },
          weight: 1,
          locality: {},
        })),
      })),
    )
    add(
      `endpoints of a proxy, ${count}`,
      time(() => endpoints.parse(text)),
      time(() => JSON.parse(text)),
      '`JSON.parse`',
      '',
    )
  }
  for (const count of [10, 500, 5000]) {
    const header = `${'NAME'.padEnd(30)}${'CLUSTER'.padEnd(15)}${'CDS'.padEnd(14)}${'LDS'.padEnd(14)}${'EDS'.padEnd(14)}${'RDS'.padEnd(14)}${'ECDS'.padEnd(14)}${'ISTIOD'.padEnd(30)}VERSION\n`
    const row = (index) =>
      `${`app-${index}.ns-${index % 50}`.padEnd(30)}${'Kubernetes'.padEnd(15)}${'SYNCED'.padEnd(14).repeat(4)}${'NOT SENT'.padEnd(14)}${'istiod-7d9b8c-x2x4z'.padEnd(30)}1.26.2\n`
    const text = header + Array.from({ length: count }, (_, index) => row(index)).join('')
    add(
      `proxy-status table, ${count} proxies`,
      time(() => status.parse(text)),
      time(() => text.split('\n').map((line) => line.split(/\s{2,}/))),
      'splitting its lines',
      '',
    )
  }
  const chain = {
    filterChainMatch: { destinationPort: 8080, transportProtocol: 'tls', applicationProtocols: ['istio'] },
    filters: [
      {
        name: 'envoy.filters.network.http_connection_manager',
        typedConfig: {
          '@type':
            'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
          statPrefix: 'inbound_0.0.0.0_8080',
          routeConfig: { name: 'inbound|8080||', virtualHosts: [] },
          httpFilters: Array.from({ length: 12 }, (_, index) => ({
            name: `filter-${index}`,
            typedConfig: { value: 'x'.repeat(200) },
          })),
        },
      },
    ],
  }
  const dump = JSON.stringify(
    Array.from({ length: 1600 }, (_, index) => ({
      name: `10.0.0.${index}_8080`,
      address: { socketAddress: { address: `10.0.0.${index % 250}`, portValue: 8080 } },
      filterChains: Array.from({ length: 8 }, () => chain),
      trafficDirection: 'OUTBOUND',
    })),
  )
  add(
    `listeners of a proxy, ${Math.round(dump.length / 1048576)} MB`,
    time(() => listeners.parse(dump)),
    time(() => JSON.parse(dump)),
    '`JSON.parse`',
    'promised: about the same',
  )
}

function page() {
  const table = rows.map(
    ({ what, mine, against, theirs, ratio: value, promise }) =>
      `| ${what} | ${ms(mine)} | ${against}: ${ms(theirs)} | **${value}** | ${promise.replace('promised ', '')} |`,
  )
  const growing = sizes.map(
    ({ megabytes, took, peak }) =>
      `| ${megabytes} MB | ${ms(took)} | ${Math.round(megabytes / (took / 1000))} MB/s | ${peak ?? 'not measured'} MB |`,
  )
  return `# Speed

Measured in one run on ${cpus().length} cores with Node ${process.version.slice(1)}; times differ between machines, ratios hardly do. Made by \`node bench/run.mjs --write\`.

| what | meshtriage | against | ratio | promised |
|---|---|---|---|---|
${table.join('\n')}

${notes.join('\n')}

## A log that grows

\`meshtriage logs FILE -o json\`, start included.

| log | took | speed | peak memory |
|---|---|---|---|
${growing.join('\n')}
`
}

function argument(name) {
  const index = process.argv.indexOf(name)
  return index < 0 ? undefined : process.argv[index + 1]
}

if (!existsSync(program)) throw new Error('build first: npm run build')
