import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ParseError } from '../../src/model/errors.ts'
import { type IstioctlAnswer, istioctlAnswers, readerOf } from '../helpers/istioctl-answers.ts'
import { loadParsers } from '../helpers/parsers.ts'
import { hasShared, readJson, sharedFolder } from '../helpers/shared.ts'

const parsers = await loadParsers()

describe.skipIf(!hasShared)('stored answers of istioctl', () => {
  test('are parsed, or refused for a reason', { timeout: 300_000 }, () => {
    const counts = new Map<string, Map<string, number>>()
    const refused = new Map<string, number>()
    const unexplained: string[] = []
    const checked = new Set<string>()
    const same = new Map<string, unknown>()
    for (const answer of istioctlAnswers()) {
      const reader = readerOf(answer.question)
      if ('nobody' in reader) {
        count(refused, `nobody reads it: ${reader.nobody}`)
        continue
      }
      if (answer.hangs) {
        count(refused, 'the command never ended')
        continue
      }
      const key = `${reader.parser}\n${answer.stdout}`
      if (!same.has(key)) same.set(key, outcome(reader.parser, answer.stdout))
      const result = same.get(key)
      if (result instanceof Error) {
        const reason = reasonToRefuse(answer)
        if (result instanceof ParseError && reason !== null) count(refused, reason)
        else unexplained.push(`${answer.capture} ${answer.version} ${answer.question}: ${result.message}`)
        continue
      }
      count(inner(counts, reader.parser), answer.version)
      if (checked.has(key)) continue
      checked.add(key)
      const problem = parsers.get(reader.parser)!.schema.safeParse(result).error
      if (problem) unexplained.push(`${answer.capture} ${answer.question}: off its schema, ${problem.message}`)
    }
    print(counts, refused)
    expect(unexplained).toEqual([])
    expect([...counts.keys()].length).toBeGreaterThan(20)
  })

  test('in JSON and as a table tell the same', () => {
    const answers = new Map<string, IstioctlAnswer>()
    for (const answer of istioctlAnswers())
      answers.set(`${answer.capture} ${answer.version} ${answer.question}`, answer)
    let compared = 0
    for (const [key, answer] of answers) {
      const json = answers.get(`${key} -o json`)
      if (!json || answer.exit !== 0 || json.exit !== 0) continue
      const compare = comparisons.find(([pattern]) => pattern.test(answer.question))?.[1]
      const reader = readerOf(answer.question)
      if (!compare || 'nobody' in reader) continue
      const parser = parsers.get(reader.parser)!
      expect(compare(parser.parse(answer.stdout)), key).toEqual(compare(parser.parse(json.stdout)))
      compared += 1
    }
    expect(compared).toBeGreaterThan(200)
  })

  test('of describe leave no line that is not understood', () => {
    const describe = parsers.get('describe')!
    const other = new Set<string>()
    for (const { question, stdout, exit } of istioctlAnswers())
      if (question.startsWith('x describe') && exit === 0)
        for (const line of (describe.parse(stdout) as any).other) other.add(line)
    expect([...other]).toEqual([])
  })

  test('of analyze name what they are about', () => {
    const analyze = parsers.get('analyze')!
    const withoutArguments = readJson(join(sharedFolder, 'facts/ist-codes.json')).flatMap((entry: any) =>
      entry.args.length === 0 ? entry.code : [],
    )
    const silent = new Set<string>()
    for (const { question, stdout } of istioctlAnswers())
      if (question.startsWith('analyze'))
        for (const { code, message, args, origin } of analyze.parse(stdout) as any[]) {
          if (origin === null || origin.name === null) silent.add(`${code}: no origin`)
          if (Object.keys(args).length === 0 && !withoutArguments.includes(code)) silent.add(`${code}: ${message}`)
        }
    expect([...silent]).toEqual([])
  })

  test('of proxy-status agree with what istiod keeps', () => {
    let compared = 0
    for (const { version, syncz, verbose, plain } of statusesByMesh()) {
      const known = new Map<string, any>(syncz.proxies.map((proxy: any) => [proxy.proxy, proxy]))
      for (const proxy of (verbose ?? plain).proxies) {
        const kept = known.get(proxy.proxy)
        if (!kept || !(verbose ?? plain).statesShown) continue
        for (const [type, { state }] of Object.entries<any>(proxy.types)) {
          // Older tables print IGNORED or NOT SENT for types that the proxy never asked for.
          const expected = kept.types[type]?.state
          if (expected === undefined) expect(['IGNORED', 'NOT SENT', 'unknown'], `${version} ${type}`).toContain(state)
          // The two were asked a moment apart, and a rejected push may have been acknowledged or cleared in between.
          else if (expected === 'SYNCED')
            expect(['SYNCED', 'STALE', 'ERROR'], `${version} ${proxy.proxy} ${type}`).toContain(state)
          compared += 1
        }
      }
    }
    expect(compared).toBeGreaterThan(500)
  })
})

function outcome(name: string, stdout: string): unknown {
  const parser = parsers.get(name)
  if (!parser) return new Error(`there is no parser ${name}`)
  try {
    return parser.parse(stdout)
  } catch (error) {
    return error
  }
}

/** Why an answer of istioctl is no data. The engine looks at exit and streams before it parses; so does this. */
function reasonToRefuse({ exit, stderr }: IstioctlAnswer): string | null {
  const error = /^Error: (?:\S+ ){0,5}/m.exec(stderr)?.[0]
  return exit !== 0 && error !== undefined ? `exit ${exit}, ${error.trim()}…` : null
}

// What only one of the two outputs shows is left out.
const comparisons: readonly (readonly [RegExp, (data: any) => unknown])[] = [
  [/^analyze/, (data) => data.map(({ documentationUrl, ...finding }: any) => JSON.stringify(finding)).sort()],
  [
    /^version/,
    // A second istioctl that looks at istiod at the same moment counts as a proxy of unknown version.
    (data) => [
      data.client,
      data.dataPlane?.filter(({ version }: any) => version !== 'unknown'),
      data.controlPlane?.map((each: any) => each.version),
    ],
  ],
  [/^ztunnel-config policy/, (data) => data.map(({ rules, ...policy }: any) => policy)],
  [/^ztunnel-config certificate/, (data) => data.map(({ pem, valid, ...certificate }: any) => certificate)],
  [
    /^ztunnel-config service/,
    (data) =>
      data.map(({ namespace, name, vips, waypoint, endpointsHealthy, endpointsTotal }: any) =>
        [namespace, name, vips, waypoint, endpointsHealthy, endpointsTotal].join(' '),
      ),
  ],
  [
    /^ztunnel-config workload/,
    (data) =>
      data
        .map(({ namespace, name, addresses, node, protocol, network, waypoint }: any) =>
          [namespace, name, addresses, node, protocol, network, waypoint].join(' '),
        )
        .sort(),
  ],
  [
    /^ztunnel-config connections/,
    // Names in the table, addresses in JSON.
    (data) =>
      data.connections.map(({ namespace, workload, direction, protocol }: any) => [
        namespace,
        workload,
        direction,
        protocol,
      ]),
  ],
]

function statusesByMesh(): { version: string; syncz: any; verbose: any; plain: any }[] {
  const groups = new Map<string, Record<string, any>>()
  for (const answer of istioctlAnswers()) {
    const slot = { 'x internal-debug syncz': 'syncz', 'proxy-status -v 1': 'verbose', 'proxy-status': 'plain' }[
      answer.question
    ]
    if (slot === undefined) continue
    const key = `${answer.capture} ${answer.version}`
    const group = groups.get(key) ?? { version: key }
    group[slot] = parsers.get(slot === 'syncz' ? 'syncz' : 'proxy-status')!.parse(answer.stdout)
    groups.set(key, group)
  }
  return [...groups.values()] as any
}

function inner(map: Map<string, Map<string, number>>, key: string): Map<string, number> {
  const found = map.get(key) ?? new Map<string, number>()
  map.set(key, found)
  return found
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}

function print(counts: Map<string, Map<string, number>>, refused: Map<string, number>): void {
  const sum = (map: Map<string, number>) => [...map.values()].reduce((total, each) => total + each, 0)
  const lines = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([parser, versions]) => {
      const byVersion = [...versions]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([version, each]) => `${version}: ${each}`)
      return `  ${parser}  ${sum(versions)}  (${byVersion.join(', ')})`
    })
  const reasons = [...refused].sort(([, a], [, b]) => b - a).map(([reason, each]) => `  ${each}  ${reason}`)
  console.log(['parsed', ...lines, 'not parsed', ...reasons].join('\n'))
}
