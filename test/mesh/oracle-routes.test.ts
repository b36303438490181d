import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import cluster from '../../parsers/proxy-config-cluster.ts'
import endpoint from '../../parsers/proxy-config-endpoint.ts'
import listener from '../../parsers/proxy-config-listener.ts'
import route from '../../parsers/proxy-config-route.ts'
import { predictRoute } from '../../src/mesh/predict-route.ts'
import { type ProxyConfig, trace } from '../../src/mesh/trace.ts'
import { hasShared, readJson, sharedFolder } from '../helpers/shared.ts'

const folder = join(sharedFolder, 'oracle/routes')
const files = hasShared ? readdirSync(folder).filter((file) => /^[a-z0-9-]+\.json$/.test(file)) : []
const counts: Record<string, { agree: number; undecided: number; wrong: number }> = {}
const undecided: string[] = []
afterAll(() => {
  if (hasShared) console.log(`oracle routes: ${JSON.stringify(counts)}`, undecided.join(' | '))
})

describe.skipIf(!hasShared)('a real mesh agrees about routes, from objects alone', () => {
  test.each(files)('%s', (file) => {
    const set = readJson(join(folder, file))
    const objects = [...set.objects, ...set.workloads.services.map(asService)]
    const pods = Object.values<any>(set.workloads.pods)
    for (const entry of set.cases) {
      const area = file[0]!
      counts[area] ??= { agree: 0, undecided: 0, wrong: 0 }
      const client = set.workloads.pods[entry.client]
      const { request, observed } = entry
      const predicted = predictRoute({
        objects,
        mesh: set.mesh,
        client: { namespace: client.namespace, labels: client.labels },
        destination: { address: request.destination.ip, port: request.destination.port },
        request: { method: request.method, path: request.path, authority: request.host, headers: request.headers },
        pods,
      })
      if (predicted.outcome === 'cannot-decide') {
        counts[area].undecided += 1
        undecided.push(`${entry.id}: ${predicted.why}`)
        continue
      }
      const { decision, routes: _, rule: __, ...short } = predicted
      const differences = [...compare(short, observed), ...rewrites(decision?.action, request, observed.appSaw)]
      counts[area][differences.length === 0 ? 'agree' : 'wrong'] += 1
      expect(differences, JSON.stringify({ id: entry.id, request, short, observed })).toEqual([])
    }
  })
})

function compare(predicted: any, observed: any): string[] {
  const line = observed.client
  const dash = (value: unknown) => (value === '-' || value === undefined || value === null ? null : value)
  const differences: string[] = []
  const check = (what: string, mine: unknown, theirs: unknown) => {
    if (JSON.stringify(mine) !== JSON.stringify(theirs))
      differences.push(`${what}: ${JSON.stringify(mine)} / ${JSON.stringify(theirs)}`)
  }
  if (predicted.status !== null) check('status', predicted.status, observed.status)
  if (!line) return differences
  check('route', predicted.route, dash(line.route))
  check('flags', predicted.flags, line.flags === '-' ? [] : line.flags.split(','))
  check('details', predicted.details, dash(line.details))
  if (predicted.location !== null) check('location', predicted.location, dash(observed.location))
  const cluster = dash(line.cluster)
  if (predicted.outcome === 'forwarded') {
    const names = predicted.clusters.map((one: any) => one.name)
    if (!names.includes(cluster)) check('cluster', names, cluster)
  }
  return differences
}

/** What the application got, after the route has rewritten it. */
function rewrites(action: any, request: any, appSaw: any): string[] {
  if (!appSaw?.path || !action) return []
  const path = action.rewrittenPath ?? request.path
  const host = action.rewrittenHost ?? request.host
  return [
    ...(path === appSaw.path ? [] : [`path: ${path} / ${appSaw.path}`]),
    ...(host === appSaw.host ? [] : [`host: ${host} / ${appSaw.host}`]),
  ]
}

function asService(service: any) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service.name, namespace: service.namespace },
    spec: { clusterIP: service.clusterIP, selector: service.selector, ports: service.ports },
  }
}

const dumps = hasShared ? readdirSync(folder).filter((file) => file.includes('.proxy-config.')) : []
const traced = { agree: 0, wrong: 0 }
afterAll(() => {
  if (hasShared) console.log(`oracle routes, traced in the proxy's configuration: ${JSON.stringify(traced)}`)
})

describe.skipIf(!hasShared)('a real mesh agrees about routes, from the proxy’s configuration', () => {
  test.each(dumps)('%s', (file) => {
    const set = readJson(join(folder, `${file.split('.')[0]}.json`))
    const dump = readJson(join(folder, file))
    const config: ProxyConfig = {
      listeners: listener.parse(JSON.stringify(dump.listeners)),
      routes: route.parse(JSON.stringify(dump.routes)),
      clusters: cluster.parse(JSON.stringify(dump.clusters)),
      endpoints: endpoint.parse(JSON.stringify(dump.endpoints)),
    }
    const mine = set.cases.filter((entry: any) => entry.client === set.proxyConfig.pod)
    expect(mine.length).toBeGreaterThan(0)
    for (const { id, request, observed } of mine) {
      const result = trace(config, {
        direction: 'outbound',
        connection: { address: request.destination.ip, port: request.destination.port, tls: false, alpn: ['http/1.1'] },
        request: { method: request.method, path: request.path, authority: request.host, headers: request.headers },
      })
      const location = result.steps.find(({ kind }) => kind === 'route')?.facts.location ?? null
      // A route without a name is logged as `-`, and so is the cluster where nothing was forwarded.
      const differences = compare({ ...result, location }, observed)
      traced[differences.length === 0 ? 'agree' : 'wrong'] += 1
      expect(differences, `${id} ${JSON.stringify(result.steps.map(({ kind, name }) => [kind, name]))}`).toEqual([])
    }
  })
})
