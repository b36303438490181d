import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import bootstrap from '../../parsers/proxy-config-bootstrap.ts'
import cluster from '../../parsers/proxy-config-cluster.ts'
import ecds from '../../parsers/proxy-config-ecds.ts'
import endpoint from '../../parsers/proxy-config-endpoint.ts'
import listener from '../../parsers/proxy-config-listener.ts'
import route from '../../parsers/proxy-config-route.ts'
import secret from '../../parsers/proxy-config-secret.ts'
import { ParseError } from '../../src/model/errors.ts'
import { captures, hasShared, meshesFolder, readMaybeGzipped, sharedFolder } from '../helpers/shared.ts'

const parsers = { bootstrap, cluster, ecds, endpoint, listener, route, secret }
const fixtures = join(import.meta.dirname, '../../fixtures/outputs')

describe.each(Object.entries(parsers))('proxy-config %s', (kind, parser) => {
  const folder = join(fixtures, `proxy-config-${kind}`)
  const outputs = readdirSync(folder).filter((file) => file.endsWith('.out'))
  test('has recordings', () => expect(outputs.length).toBeGreaterThan(0))
  test.each(outputs)('%s', (file) => {
    const parsed = parser.parse(readFileSync(join(folder, file), 'utf8'))
    const expected = readFileSync(join(folder, file.replace(/\.out$/, '.json')), 'utf8')
    expect(parsed).toEqual(JSON.parse(expected))
    expect(parser.schema.safeParse(parsed).success).toBe(true)
  })
  test.each(readdirSync(folder).filter((file) => file.endsWith('.refused')))('refuses %s', (file) => {
    expect(() => parser.parse(readFileSync(join(folder, file), 'utf8'))).toThrow(ParseError)
  })

  test.each([
    ['nothing', ''],
    ['an error', 'Error: no clusters found\n'],
    ['a scalar', '42'],
    ['a list of scalars', '[1]'],
    ['a list of nothing known', '[{}]'],
    ['a table', 'NAME     VHOST NAME     DOMAINS\n80       x:80           x\n'],
    ['half a document', '[{"name": "a", "type": "EDS"'],
    ['objects of Kubernetes', '{"apiVersion": "v1", "kind": "List", "items": []}'],
    ['an error with a document below', 'Error: it broke\n[]\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parser.parse(text)).toThrow(ParseError)
  })
  test('refuses what the other kinds print', () => {
    for (const [other, { parse }] of Object.entries(parsers)) {
      if (other === kind) continue
      for (const file of readdirSync(join(fixtures, `proxy-config-${other}`)).filter((name) => name.endsWith('.out'))) {
        const text = readFileSync(join(fixtures, `proxy-config-${other}`, file), 'utf8')
        expect(() => parse(text)).not.toThrow()
        // What nobody can tell apart: an answer without entries.
        const empty = [[], {}].some((value) => JSON.stringify(parse(text)) === JSON.stringify(value))
        if (!empty) expect(() => parser.parse(text), `${other}/${file}`).toThrow(ParseError)
      }
    }
  })
  test('log lines of istioctl around the document do no harm', () => {
    const text = readFileSync(join(folder, outputs[0]!), 'utf8')
    const log = '2026-11-21T05:30:06.694715Z\twarn\tsomething about [brackets] {and braces}\n'
    expect(parser.parse(log + text)).toEqual(parser.parse(text))
    expect(parser.parse(`${text}\n${log}`)).toEqual(parser.parse(text))
  })
})

test('a list that istioctl filtered down to nothing is an answer', () => {
  expect(cluster.parse('[]')).toEqual([])
  expect(endpoint.parse('[]\n')).toEqual([])
})

describe.skipIf(!hasShared)('every recorded dump', () => {
  const parserOf: Record<string, { parse: (text: string) => unknown; schema: any }> = { ...parsers, eds: endpoint }
  test.each(captures)('of capture %s parses and fits the schema', (capture) => {
    let read = 0
    const root = join(meshesFolder, capture, 'istioctl')
    for (const version of existsSync(root) ? readdirSync(root) : []) {
      const proxies = join(root, version, 'proxies')
      for (const proxy of existsSync(proxies) ? readdirSync(proxies) : [])
        for (const file of readdirSync(join(proxies, proxy))) {
          const parser = parserOf[/^(\w+)\.json(\.gz)?$/.exec(file)?.[1] ?? '']
          if (!parser) continue
          const parsed = parser.parse(readMaybeGzipped(join(proxies, proxy, file)))
          expect(parser.schema.safeParse(parsed).success, `${proxy}/${file}`).toBe(true)
          read += 1
        }
    }
    // Captures of ambient meshes may hold no Envoy at all.
    if (!existsSync(join(root, '1.30', 'ztunnels'))) expect(read).toBeGreaterThan(0)
  })
  test.each([
    ['proxy-config__bootstrapdump.json', bootstrap],
    ['proxy-config__ecds__output.json', ecds],
    ['proxy-config__endpoint__emptyfilter_output.json', endpoint],
    ['proxy-config__endpoint__portfilter_output.json', endpoint],
  ])('golden %s', (file, parser) => {
    const parsed = parser.parse(readFileSync(join(sharedFolder, 'golden/istioctl/master', file), 'utf8'))
    expect(parser.schema.safeParse(parsed).success).toBe(true)
    expect(JSON.stringify(parsed).length).toBeGreaterThan(20)
  })
})
