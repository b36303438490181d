import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ParseError } from '../../src/model/errors.ts'
import { loadParsers } from '../helpers/parsers.ts'
import { hasShared, sharedFolder } from '../helpers/shared.ts'

// Outputs from Istio's own tests. What Istio's programs are fed with is listed as INPUT or DATA in the folder's README.

const folder = join(sharedFolder, 'golden/istioctl')
const parsers = await loadParsers()

type Plan = { readonly parser: string } | { readonly refusedBy: string } | { readonly nobody: string }

/** The first pattern that fits a file says what happens to it. */
const plans: readonly (readonly [RegExp, Plan])[] = [
  [/\.yaml$/, { nobody: 'YAML is never asked for: the same command prints JSON' }],
  [/bug-report-log__/, { nobody: 'logs of any container, read by the log parsers of the pod they belong to' }],
  [/(proxy-config-all__|ztunnel-config__allsummary)/, { nobody: 'the parts are asked for one by one' }],
  [/x-metrics/, { nobody: 'needs a Prometheus, and rates come from logs and counters here' }],
  [/endpoint__\w+_output\.json$/, { nobody: 'eds in JSON: endpoint tells the health that Envoy acts on' }],
  [/proxy-status.*\.stderr$/, { refusedBy: 'proxy-status' }],
  [/proxy-status__|transcribed__proxy-status/, { parser: 'proxy-status' }],
  [/waypoint__waypoint-notready-wait$/, { refusedBy: 'waypoint-status' }],
  [/waypoint__waypoint-status/, { parser: 'waypoint-status' }],
  [/waypoint__/, { parser: 'waypoint-list' }],
  [/ztunnel-config__workloadsummary/, { parser: 'ztunnel-workloads' }],
  [/ztunnel-config__secretsummary/, { parser: 'ztunnel-certificates' }],
  [/ztunnel-config__policies/, { parser: 'ztunnel-policies' }],
  [/ztunnel-config__connections/, { parser: 'ztunnel-connections' }],
  [/proxy-config__secret__/, { parser: 'proxy-config-secret-table' }],
  [/proxy-config__routes__/, { parser: 'proxy-config-route-table' }],
  [/proxy-config__endpoint__\w+_output\.txt$/, { parser: 'proxy-config-eds-table' }],
  [/proxy-config__ecds__output\.txt$/, { parser: 'proxy-config-ecds-table' }],
  [/proxy-config__ecds__output\.json$/, { parser: 'proxy-config-ecds' }],
  [/proxy-config__bootstrapdump\.json$/, { parser: 'proxy-config-bootstrap' }],
  [/proxy-config__versionsummary/, { parser: 'proxy-config-versions' }],
  [/proxy-config-log__/, { parser: 'proxy-config-log' }],
  [/transcribed__analyze/, { parser: 'analyze' }],
  [/transcribed__remote-clusters/, { parser: 'remote-clusters' }],
  [/x-authz-check/, { parser: 'authz-check' }],
  [/x-describe/, { parser: 'describe' }],
]

describe.skipIf(!hasShared)('golden outputs of istioctl', () => {
  const inputs = hasShared ? namedAsInput() : []
  const outputs = (hasShared ? filesBelow(folder) : []).filter((path) => !inputs.some((input) => path.endsWith(input)))

  test('are told apart from inputs', () => {
    expect(inputs.length).toBeGreaterThan(100)
    expect(outputs.length).toBeGreaterThan(60)
    for (const input of inputs) expect(existsSync(join(folder, input)), input).toBe(true)
  })

  for (const path of outputs)
    test(path, () => {
      const plan = plans.find(([pattern]) => pattern.test(path))?.[1]
      if (!plan) throw new Error('no parser reads it, and no reason is given')
      if ('nobody' in plan) return
      const name = 'parser' in plan ? plan.parser : plan.refusedBy
      const parser = parsers.get(name)
      if (!parser) throw new Error(`there is no parser ${name}`)
      const text = readFileSync(join(folder, path), 'utf8')
      if ('refusedBy' in plan) {
        expect(() => parser.parse(text)).toThrow(ParseError)
        return
      }
      const data = parser.parse(text)
      expect(parser.schema.safeParse(data).error).toBeUndefined()
      if (isTable(path, text)) expectNothingLost(text, data)
    })

  const parse = (name: string, path: string): any => parsers.get(name)!.parse(readFileSync(join(folder, path), 'utf8'))

  test('a table of 1.27 and later shows no states, and none is made up', () => {
    const { statesShown, proxies } = parse('proxy-status', 'master/proxy-status__multiXdsStatusMultiPilot.txt')
    expect(statesShown).toBe(false)
    expect(proxies).toHaveLength(4)
    for (const proxy of proxies) expect(proxy).toMatchObject({ types: {}, statesShown: false })
    expect(proxies[0].subscribedTypes).toEqual(['CDS', 'LDS', 'EDS', 'RDS', 'ECDS'])
    expect(proxies[3].subscribedTypes).toEqual([])
  })

  test('states are read with what stands beside them, in every spelling', () => {
    const old = parse('proxy-status', '1.21.6/proxy-status__multiStatusMultiPilot.txt').proxies
    expect(old[2].types.CDS).toMatchObject({ state: 'STALE', detail: 'Never Acknowledged' })
    expect(old[2].types.LDS.state).toBe('NOT SENT')
    expect(old[3].types.EDS.state).toBe('IGNORED')
    const xds = parse('proxy-status', '1.21.6/proxy-status__multiXdsStatusMultiPilot.txt').proxies
    expect(xds[2].types).toMatchObject({ CDS: { state: 'NOT SENT', raw: 'NOT_SENT' }, LDS: { state: 'ERROR' } })
    expect(parse('proxy-status', '1.21.6/proxy-status__singleStatusFallback.txt').proxies[0].version).toBe('1.1')
    const json = parse('proxy-status', 'master/proxy-status__multiXdsStatusSinglePilot.json')
    expect(json.statesShown).toBe(true)
    expect(json.proxies[0]).toMatchObject({
      istiod: 'istiod1',
      types: { CDS: { state: 'STALE' }, RDS: { state: 'NOT SENT' } },
    })
    expect(parse('proxy-status', 'master/transcribed__proxy-status-empty.json').proxies).toEqual([])
  })

  test('analyze reads JSON, log lines and coloured lines to the same', () => {
    const json = parse('analyze', 'master/transcribed__analyze.json')
    const bare = (findings: any[]) =>
      findings.map(({ code, level, message, origin }) => ({ code, level, message, origin }))
    expect(bare(json)).toEqual([
      {
        code: 'B1',
        level: 'Error',
        message: 'Explosion accident: the bubble is too big',
        origin: { kind: 'SoapBubble', namespace: null, name: null },
      },
      {
        code: 'C1',
        level: 'Warning',
        message: 'Collapse danger: the castle is too old',
        origin: { kind: 'GrandCastle', namespace: null, name: null },
      },
    ])
    for (const file of ['analyze.log.txt', 'analyze-color.log.txt', 'analyze-multicluster.log.txt'])
      expect(bare(parse('analyze', `master/transcribed__${file}`))).toEqual(bare(json))
    const clusters = parse('analyze', 'master/transcribed__analyze-multicluster.log.txt')
    expect(clusters.map((finding: any) => finding.cluster)).toEqual(['default', 'another'])
    expect(parse('analyze', 'master/transcribed__analyze-empty.json')).toEqual([])
  })

  test('a description says what it says', () => {
    const described = parse('describe', 'master/transcribed__x-describe-service-3.txt')
    expect(described.other).toEqual([])
    expect(described.services[0].destinationRules[0]).toMatchObject({
      name: 'productpage',
      matchesAnySubset: false,
      nonMatchingSubsets: ['v1'],
      trafficPolicy: { tlsMode: 'ISTIO_MUTUAL', policies: ['load balancer', 'connection pool', 'outlier detection'] },
      portLevel: { 8080: { tlsMode: 'DISABLE' } },
    })
    expect(described.services[0].virtualServices[0]).toMatchObject({
      matches: ['/prefix*'],
      routes: [{ weightPercent: 30 }, { weightPercent: 20 }, { host: 'productpage3', weightPercent: 50 }],
    })
    expect(described.ingress.map((gateway: any) => [gateway.gateway, gateway.virtualServices.length])).toEqual([
      ['http://1.1.1.1', 1],
      ['http://2.2.2.2', 1],
    ])
  })

  test('certificates of a ztunnel are the same in the tables of 1.21 and today', () => {
    const old = parse('ztunnel-certificates', '1.21.6/ztunnel-config__secretsummary.txt')
    expect(old).toEqual(parse('ztunnel-certificates', 'master/ztunnel-config__secretsummary.txt'))
    expect(old.map((row: any) => row.type)).toEqual(['Leaf', 'Root', null, null, null])
  })

  test('connections are the same in table and JSON', () => {
    const { workloads, connections } = parse('ztunnel-connections', 'master/ztunnel-config__connectionsdump.json')
    const table = parse('ztunnel-connections', 'master/ztunnel-config__connectionsummary.txt')
    const inOrder = (list: unknown[]) => list.map((entry) => JSON.stringify(entry)).sort()
    expect(inOrder(table.connections)).toEqual(inOrder(connections))
    expect(workloads.length).toBeGreaterThan(0)
  })
})

function namedAsInput(): string[] {
  const entries = readFileSync(join(folder, '../README.md'), 'utf8').matchAll(/^- `([^`]+)` — (.*)$/gm)
  return [...entries].flatMap(([, path, about]) =>
    /^(INPUT|DATA)\b|^table made by us/.test(about!) || path!.includes('pod-shape__') ? path! : [],
  )
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .sort()
}

function isTable(path: string, text: string): boolean {
  return !/\.json$|analyze|describe|log__|versionsummary/.test(path) && /^[A-Z]/.test(text) && text.includes('  ')
}

// Words that stand for "none", or become a boolean.
const signs = ['None', 'NA', '-', 'ALL', 'OK', 'FAILED', 'CA', 'Cert', 'Chain', '404', '_anonymous_match_nothing_']

/** As many entries as rows, and every word of a row is somewhere in its entry. */
function expectNothingLost(text: string, data: any): void {
  const list: unknown[] = Array.isArray(data) ? data : (data.proxies ?? data.policies ?? data.connections)
  const rows = text
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '')
  if (/^No /.test(text)) return
  expect(list).toHaveLength(rows.length)
  for (const [at, row] of rows.entries()) {
    const entry = JSON.stringify(list[at]).toLowerCase()
    for (const word of row.split(/[\s(),*]+/)) {
      if (word === '' || signs.includes(word)) continue
      // `3/3`, and a count that is the length of a list.
      const parts = /^\d+(\/\d+)?$/.test(word) ? [] : [word]
      for (const part of parts)
        expect(entry, `"${part}" of "${row}"`).toContain(part.toLowerCase().replace(/^(.*)\.(\w+)$/, '$1'))
    }
  }
}
