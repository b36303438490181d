import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { compileAccessLogFormat } from '../../parsers/access-log-format.ts'
import { readShared } from '../../src/cli/log-crew.ts'
import { type LogOrder, readPart, readTunnel } from '../../src/cli/log-part.ts'
import { createLogReader } from '../../src/cli/log-reader.ts'
import { readFilter } from '../../src/report/log-filter.ts'
import { logSummaryJson } from '../../src/report/log-summary-json.ts'
import { captures, hasShared, meshesFolder, readMaybeGzipped } from '../helpers/shared.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshtriage-parts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'access.log')

interface Given {
  readonly threads: number
  readonly order?: Partial<LogOrder>
  /** Ranges that no thread could read. */
  readonly broken?: boolean
}

/** What the summary says, and how many of the ranges were taken from elsewhere. */
async function read(text: string, { threads, order: given = {}, broken = false }: Given) {
  writeFileSync(path, text)
  const order: LogOrder = { path, format: undefined, where: [], sinceMs: null, ...given }
  const format = order.format === undefined ? undefined : compileAccessLogFormat(order.format)
  const filter = readFilter(order.where)
  const { sinceMs } = order
  const reader = createLogReader({ podRole: null, format, filter, sinceMs, readTunnel, onLine: null, onTunnel: null })
  const asked = { ranges: 0, taken: 0 }
  const elsewhere = async (range: Parameters<typeof readPart>[1]) => {
    asked.ranges++
    const part = broken ? null : await readPart(order, range, () => false)
    if (part) asked.taken++
    // As a thread would hand it over.
    return structuredClone(part)
  }
  const whole = { start: 0, end: statSync(path).size }
  await readShared(reader, path, whole, { threads, format, elsewhere }, new AbortController().signal)
  const reading = reader.reading([], [])
  return { ...asked, said: { ...(logSummaryJson(reader.tally.summary(), reading) as object), reading } }
}

async function expectSame(text: string, order: Partial<LogOrder> = {}) {
  const whole = await read(text, { threads: 1, order })
  expect(whole.ranges).toBe(0)
  let ranges = 0
  for (const threads of [2, 3, 4, 7]) {
    const parts = await read(text, { threads, order })
    expect(parts.said).toEqual(whole.said)
    ranges += parts.taken
  }
  return ranges
}

function accessLine(n: number, peer = `10.1.0.${n % 40}`): string {
  const [code, flags, details] = [
    ['200', '-', 'via_upstream'],
    ['503', 'UF', 'upstream_reset_before_response_started{connection_failure}'],
    ['403', '-', 'rbac_access_denied_matched_policy[none]'],
    ['503', 'UH', 'no_healthy_upstream'],
  ][(n * 7 + (n >> 5)) % 4] as [string, string, string]
  const time = new Date(1_770_000_000_000 + ((n * 7919) % 100_000)).toISOString()
  return `[${time}] "GET /v1/${n % 31}?q=${n} HTTP/1.1" ${code} ${flags} ${details} - "-" 0 95 3 2 "-" "curl/8" "id-${n}" "ledger.pay:8080" "10.2.0.11:8080" outbound|8080||s${n % 9}.pay.svc.cluster.local 10.1.0.5:4444 10.96.0.1:8080 ${peer}:5555 - r${n % 3}`
}

const mixed = Array.from({ length: 3000 }, (_, n) => {
  if (n % 41 === 0) return `2026-02-02T02:40:00.00${n % 10}Z\tinfo\txdsproxy\tconnected to upstream`
  // What follows an agent's line and is of no kind belongs to it: here no log may be cut.
  if (n % 41 < 12) return `  at step ${n} of a message`
  if (n % 53 === 0) return accessLine(n).slice(0, 60 + (n % 90))
  if (n % 59 === 0) return 'what nobody knows'
  if (n % 61 === 0) return ''
  if (n % 67 === 0) return `${accessLine(n)}\r`
  return accessLine(n)
}).join('\n')

describe('a log read in parts says what it says read as one', () => {
  test.each([
    ['lines of all kinds', {}],
    ['with a filter', { where: ['code>=500', 'who!=app'] }],
    ['the young ones only', { sinceMs: 1_770_000_050_000 }],
    ['with a format that is not theirs', { format: '%START_TIME% own %RESPONSE_CODE%\n' }],
  ] satisfies [string, Partial<LogOrder>][])('%s', async (_, order) => {
    expect(await expectSame(mixed, order)).toBeGreaterThanOrEqual(9)
  })

  test('tables that are full leave out the same keys', async () => {
    const lines = Array.from({ length: 9000 }, (_, n) => accessLine(n, `10.${n % 3}.${(n * 13) % 251}.${n % 17}`))
    const text = `${lines.join('\n')}\n`
    const peers = new Set(lines.map((line) => / (10[.\d]+):5555 /.exec(line)?.[1]))
    expect(peers.size).toBeGreaterThan(2000)
    expect(await expectSame(text)).toBe(1 + 2 + 3 + 6)
  })

  test('a part with more keys than it can hold is read here', async () => {
    const lines = Array.from({ length: 40_000 }, (_, n) => accessLine(n, `10.${n % 251}.${n >> 8}.9`)).join('\n')
    const whole = await read(lines, { threads: 1 })
    const parts = await read(lines, { threads: 2 })
    expect([parts.ranges, parts.taken]).toEqual([1, 0])
    expect(parts.said).toEqual(whole.said)
  })

  test('threads that do not start leave nothing out', async () => {
    const whole = await read(mixed, { threads: 1 })
    const parts = await read(mixed, { threads: 4, broken: true })
    expect([parts.ranges, parts.taken]).toEqual([3, 0])
    expect(parts.said).toEqual(whole.said)
  })

  test('what has no line to cut at is not cut', async () => {
    const text = `2026-02-02T02:40:00.000Z\tinfo\txdsproxy\tdump\n${'  and on\n'.repeat(200_000)}`
    expect((await read(text, { threads: 4 })).ranges).toBe(0)
    expect(await expectSame('x'.repeat(100_000))).toBe(0)
    expect(await expectSame('')).toBe(0)
  })

  test.skipIf(!hasShared)(
    'logs of recorded proxies',
    async () => {
      let ranges = 0
      for (const capture of captures.filter((_, index) => index % 4 === 0)) {
        const root = join(meshesFolder, capture)
        const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /log/i.test(name))
        for (const name of files.filter((one) => statSync(join(root, one)).isFile()).slice(0, 6))
          ranges += await expectSame(readMaybeGzipped(join(root, name)))
      }
      expect(ranges).toBeGreaterThan(20)
    },
    60_000,
  )
})
