// Reads a large generated access log and says how fast, and how much memory it took.
// node bench/access-log.mjs [--mb 200] [--json] [--keep]
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const megabytes = Number(argument('--mb') ?? 200)

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'meshtriage-bench-'))
  try {
    const parser = join(folder, 'access-log.mjs')
    await build({
      entryPoints: [resolve(here, '../parsers/access-log.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: parser,
      logLevel: 'error',
    })
    for (const encoding of ['text', 'json']) {
      const file = join(folder, `${encoding}.log`)
      const started = performance.now()
      const { bytes, lines } = await generate(file, megabytes * 1024 * 1024, encoding)
      print(`${encoding}: ${lines} lines, ${mb(bytes)} MB, generated in ${seconds(performance.now() - started)} s`)
      const awk = timeAwk(file)
      if (awk) print(`  awk counting two fields: ${seconds(awk)} s`)
      // Each in a process of its own, so that peak memory is that of this way of reading alone.
      for (const way of ['scan', 'records', 'items']) {
        const result = await inChild(parser, file, way)
        const speed = bytes / 1048576 / (result.ms / 1000)
        const ratio = awk ? `, ${(result.ms / awk).toFixed(1)} x awk` : ''
        print(
          `  ${way.padEnd(7)} ${seconds(result.ms)} s, ${speed.toFixed(0)} MB/s, peak ${mb(result.peak)} MB${ratio}, ` +
            `${result.records} records, ${result.other} other, ${result.unparsed} unparsed`,
        )
        if (result.records + result.other + result.unparsed !== lines) throw new Error(`${way} lost lines`)
      }
      rmSync(file)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Deterministic: the same bytes every time, so that numbers of different days compare. */
async function generate(file, size, encoding) {
  const next = random(20260821)
  const stream = createWriteStream(file)
  let bytes = 0
  let lines = 0
  while (bytes < size) {
    let block = ''
    for (let i = 0; i < 500; i++) block += `${oneLine(next, lines++, encoding)}\n`
    bytes += Buffer.byteLength(block)
    if (!stream.write(block)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return { bytes, lines }
}

function oneLine(next, number, encoding) {
  const time = new Date(1787220900000 + number * 7).toISOString()
  const pick = (list) => list[next() % list.length]
  if (next() % 200 === 0)
    return `${time.slice(0, -1)}000Z\tinfo\txdsproxy\tconnected to delta upstream XDS server: istiod.istio-system.svc:15012\tid=${number}`
  const [code, flags, details] = pick(outcomes)
  const service = pick(services)
  const ip = () => `10.${next() % 250}.${next() % 250}.${next() % 250}`
  const agent = next() % 500 === 0 ? 'x" 200 - via_upstream - "-" 0 0 0 0 "-" "y' : pick(agents)
  const fields = {
    start_time: time,
    method: pick(['GET', 'GET', 'POST']),
    path: `/api/v1/items/${next() % 100000}?page=${next() % 50}`,
    protocol: 'HTTP/1.1',
    response_code: code,
    response_flags: flags,
    response_code_details: details,
    connection_termination_details: null,
    upstream_transport_failure_reason: null,
    bytes_received: next() % 2000,
    bytes_sent: next() % 90000,
    duration: next() % 900,
    upstream_service_time: String(next() % 900),
    x_forwarded_for: ip(),
    user_agent: agent,
    request_id: `6f1c2d3e-${String(next() % 10000).padStart(4, '0')}-4000-8000-${String(number).padStart(12, '0')}`,
    authority: `${service}.shop:8080`,
    upstream_host: `${ip()}:8080`,
    upstream_cluster: `outbound|8080||${service}.shop.svc.cluster.local`,
    upstream_local_address: `${ip()}:${30000 + (next() % 30000)}`,
    downstream_local_address: `${ip()}:8080`,
    downstream_remote_address: `10.1.2.${next() % 250}:${30000 + (next() % 30000)}`,
    requested_server_name: null,
    route_name: 'default',
  }
  if (encoding === 'json') return JSON.stringify(fields)
  const f = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value ?? '-']))
  return (
    `[${f.start_time}] "${f.method} ${f.path} ${f.protocol}" ${code} ${flags} ${details} - "-" ${f.bytes_received} ${f.bytes_sent} ${f.duration} ` +
    `${f.upstream_service_time} "${f.x_forwarded_for}" "${f.user_agent}" "${f.request_id}" "${f.authority}" "${f.upstream_host}" ${f.upstream_cluster} ` +
    `${f.upstream_local_address} ${f.downstream_local_address} ${f.downstream_remote_address} - ${f.route_name}`
  )
}

const outcomes = [
  [200, '-', 'via_upstream'],
  [200, '-', 'via_upstream'],
  [200, '-', 'via_upstream'],
  [404, '-', 'via_upstream'],
  [503, 'UH', 'no_healthy_upstream'],
  [403, '-', 'rbac_access_denied_matched_policy[none]'],
  [503, 'UC', 'upstream_reset_before_response_started{connection_termination}'],
]
const services = Array.from({ length: 40 }, (_, i) => `service-${i}`)
const agents = [
  'curl/8.7.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'grpc-go/1.62.1',
  'Zürich-Client/1.0',
]

function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

async function measure(parser, file, way) {
  const { createAccessLogReader, readAccessLog, scanAccessLog } = await import(pathToFileURL(parser).href)
  const started = performance.now()
  const seen = new Map()
  const count = (key) => seen.set(key, (seen.get(key) ?? 0) + 1)
  const chunks = createReadStream(file, { highWaterMark: 256 * 1024 })
  let counts
  if (way === 'scan') {
    counts = await scanAccessLog(chunks, (line) => {
      count(line.number('code'))
      count(line.text('flags'))
      count(line.text('details'))
      count(line.text('routeName'))
      count(line.text('upstreamCluster'))
      count(line.peer())
      line.timeMs()
    })
  } else if (way === 'records') {
    const reader = createAccessLogReader({ onRecord: (record) => count(record.details) })
    for await (const chunk of chunks) reader.push(chunk)
    counts = reader.end()
  } else {
    const items = readAccessLog(chunks)
    let item = await items.next()
    for (; !item.done; item = await items.next()) if (item.value.kind === 'record') count(item.value.record.details)
    counts = item.value
  }
  const other = Object.values(counts.other).reduce((sum, number) => sum + number, 0)
  const ms = performance.now() - started
  const peak = process.resourceUsage().maxRSS * 1024
  process.stdout.write(JSON.stringify({ ms, peak, records: counts.records, other, unparsed: counts.unparsed }))
}

async function inChild(parser, file, way) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--measure', parser, file, way], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  return JSON.parse(text)
}

function timeAwk(file) {
  const started = performance.now()
  const run = spawnSync('awk', ['{ codes[$5]++; flags[$6]++ } END { for (code in codes) n++; print n }', file])
  return run.status === 0 ? performance.now() - started : undefined
}

function argument(name) {
  const at = process.argv.indexOf(name)
  return at > 0 ? process.argv[at + 1] : undefined
}
function mb(bytes) {
  return (bytes / 1048576).toFixed(0)
}
function seconds(ms) {
  return (ms / 1000).toFixed(2)
}
function print(text) {
  process.stdout.write(`${text}\n`)
}

// Last, because constants above are not there before.
if (process.argv[2] === '--measure') await measure(process.argv[3], process.argv[4], process.argv[5])
else await main()
