// What the scripts of this folder share: timing whole commands, generated files, and medians.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const program = `${root}dist/main.js`

/** Wall time of a command in milliseconds, the best of several runs: noise only ever adds. */
export function best(runs, file, args, options = {}) {
  let fastest = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const started = performance.now()
    const { status, error } = spawnSync(file, args, {
      stdio: ['ignore', 'ignore', 'ignore'],
      maxBuffer: 1 << 30,
      ...options,
    })
    if (error) return null
    if (status !== 0 && status !== 79 && status !== 80)
      throw new Error(`${file} ${args.join(' ')} ended with ${status}`)
    fastest = Math.min(fastest, performance.now() - started)
  }
  return fastest
}

/** Peak resident memory of a command in MB, by GNU time where there is one. */
export function peakMegabytes(file, args, options = {}) {
  const { stderr, error } = spawnSync('/usr/bin/time', ['-f', 'peak %M', file, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    ...options,
  })
  const match = error ? null : /peak (\d+)/.exec(stderr)
  return match ? Math.round(Number(match[1]) / 1024) : null
}

export const ratio = (mine, theirs) =>
  theirs === null || mine === null ? 'not measured' : `${(mine / theirs).toFixed(2)}×`
export const ms = (value) =>
  value === null ? 'not here' : value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(0)} ms`

/** Access-log lines in Istio's default format, the same every time. */
export async function writeLog(path, megabytes) {
  const out = createWriteStream(path)
  let seed = 20260821
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  const pick = (items) => items[Math.floor(next() * items.length)]
  const wanted = megabytes * 1024 * 1024
  let written = 0
  let n = 0
  while (written < wanted) {
    let block = ''
    for (let i = 0; i < 1000; i++) {
      n += 1
      const [code, flags, details] = pick([
        ['200', '-', 'via_upstream'],
        ['200', '-', 'via_upstream'],
        ['200', '-', 'via_upstream'],
        ['503', 'UC', 'upstream_reset_before_response_started{connection_termination}'],
        ['403', '-', 'rbac_access_denied_matched_policy[none]'],
        ['504', 'UT', 'response_timeout'],
      ])
      const time = new Date(1_770_000_000_000 + n * 37).toISOString()
      block += `[${time}] "GET /v1/items/${n % 977}?page=${n % 13} HTTP/1.1" ${code} ${flags} ${details} - "-" 0 ${n % 5000} ${n % 300} ${n % 290} "-" "curl/8.5.0" "${((n * 2654435761) >>> 0).toString(16).padStart(8, '0')}-1111-4222-8333-444455556666" "ledger.pay:8080" "10.1.${n % 7}.${n % 251}:8080" outbound|8080||ledger.pay.svc.cluster.local 10.1.0.5:${30000 + (n % 20000)} 10.96.0.12:8080 10.1.0.5:${40000 + (n % 20000)} - default\n`
    }
    written += block.length
    if (!out.write(block)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
  return { lines: n, bytes: written }
}
