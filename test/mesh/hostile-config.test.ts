import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import endpoint from '../../parsers/proxy-config-endpoint.ts'
import listener from '../../parsers/proxy-config-listener.ts'
import { predictRoute } from '../../src/mesh/predict-route.ts'
import { trace } from '../../src/mesh/trace.ts'
import { ParseError } from '../../src/model/errors.ts'
import { hasShared, readJson, sharedFolder } from '../helpers/shared.ts'

const folder = join(sharedFolder, 'oracle/routes')
const junk = [null, 1, -1, 'x', true, [], {}, [null], [1]]

/** A generator with a seed: a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648
  }
}

/** Replaces two values anywhere inside by junk. */
function damage(value: any, next: () => number): any {
  const places: [any, string][] = []
  const walk = (node: any): void => {
    if (node === null || typeof node !== 'object') return
    for (const key of Object.keys(node)) {
      places.push([node, key])
      walk(node[key])
    }
  }
  walk(value)
  for (let count = 0; count < 2; count++) {
    const [node, key] = places[Math.floor(next() * places.length)]!
    node[key] = junk[Math.floor(next() * junk.length)]
  }
  return value
}

const isPlain = (entry: any) => entry !== null && typeof entry === 'object' && !Array.isArray(entry)

test.skipIf(!hasShared)('a damaged configuration is refused or traced, never a crash', () => {
  const next = random(7)
  const file = readdirSync(folder).filter((name) => name.includes('.proxy-config.'))[0]!
  const dump = readJson(join(folder, file))
  const text = JSON.stringify({
    listeners: dump.listeners.filter(({ name }: any) => /_80$|virtual/.test(name)),
    routes: dump.routes.filter(({ name }: any) => name === '80'),
    clusters: dump.clusters.slice(0, 8),
    endpoints: dump.endpoints.slice(0, 8),
  })
  let traced = 0
  for (let round = 0; round < 300; round++) {
    const { listeners, routes, clusters, endpoints } = damage(JSON.parse(text), next)
    try {
      if (![routes, clusters].every((list) => Array.isArray(list) && list.every(isPlain))) continue
      const config = {
        listeners: listener.parse(JSON.stringify(listeners)),
        routes,
        clusters,
        endpoints: endpoint.parse(JSON.stringify(endpoints)),
      }
      const connection = { address: '10.0.0.1', port: 80, tls: false, alpn: ['http/1.1'] }
      const request = { method: 'GET', path: '/a?b', authority: 'target.srv' }
      expect(trace(config, { direction: 'outbound', connection, request }).steps.length).toBeGreaterThanOrEqual(0)
      traced += 1
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError)
    }
  }
  expect(traced).toBeGreaterThan(100)
})

test.skipIf(!hasShared)('damaged objects still get a prediction', () => {
  const next = random(11)
  for (const file of readdirSync(folder).filter((name) => /^[a-z0-9-]+\.json$/.test(name))) {
    const set = readJson(join(folder, file))
    const services = set.workloads.services.map(({ name, namespace, ...spec }: any) => ({
      kind: 'Service',
      metadata: { name, namespace },
      spec,
    }))
    const objects = [...services, ...set.objects]
    for (let round = 0; round < 10; round++) {
      const { specs } = damage({ specs: structuredClone(objects.map(({ spec }) => ({ spec }))) }, next)
      if (!Array.isArray(specs)) continue
      const { request, client } = set.cases[0]
      const prediction = predictRoute({
        objects: objects.map((object, index) => ({ ...object, spec: specs[index]?.spec })),
        mesh: set.mesh,
        client: set.workloads.pods[client],
        destination: { address: request.destination.ip, port: request.destination.port },
        request: { method: request.method, path: request.path, authority: request.host },
      })
      expect(['forwarded', 'answered', 'failed', 'cannot-decide']).toContain(prediction.outcome)
    }
  }
})
