import { describe, expect, test } from 'vitest'
import {
  domainsOf,
  hostsMatch,
  isExportedTo,
  matchDomain,
  mostSpecific,
  parseServiceHost,
  resolveHost,
  splitAuthority,
} from '../../src/mesh/hosts.ts'
import { portKind, registryServices, sidecarScope, visibleServices } from '../../src/mesh/service-registry.ts'
import { inboundCapture, outboundCapture } from '../../src/mesh/traffic-capture.ts'

describe('short names', () => {
  test.each([
    ['web', 'web.shop.svc.cluster.local'],
    ['web.pay', 'web.pay'],
    ['web.pay.svc.cluster.local', 'web.pay.svc.cluster.local'],
    ['*', '*'],
    ['*.local', '*.local'],
    ['', ''],
  ])('%s in namespace shop is %s', (host, full) => expect(resolveHost(host, 'shop')).toBe(full))
  test('another domain', () => expect(resolveHost('web', 'shop', 'corp.test')).toBe('web.shop.svc.corp.test'))
  test.each([
    ['web.shop.svc.cluster.local', { name: 'web', namespace: 'shop' }],
    ['web.shop', null],
    ['example.com', null],
  ])('%s is a service: %j', (host, expected) => expect(parseServiceHost(host)).toEqual(expected))
})

describe('wildcards', () => {
  test.each([
    ['a.b', 'a.b', true],
    ['A.b', 'a.B', true],
    ['*.b', 'a.b', true],
    ['*.b', 'b', false],
    ['*', 'a.b', true],
    ['*.b', '*.a.b', true],
    ['*.a.b', '*.b', true],
    ['*.a', '*.b', false],
    ['a.b', 'a.c', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(hostsMatch(a, b)).toBe(expected)
    expect(hostsMatch(b, a)).toBe(expected)
  })
  test.each([
    [['*.local', '*.svc.cluster.local'], '*.svc.cluster.local'],
    [['*.svc.cluster.local', 'a.b.svc.cluster.local'], 'a.b.svc.cluster.local'],
    [['*', '*.local'], '*.local'],
    [['c.b.svc.cluster.local'], null],
    [[], null],
  ])('the most specific of %j', (names, best) => expect(mostSpecific('a.b.svc.cluster.local', names)).toBe(best))
})

describe('exportTo', () => {
  test.each([
    [undefined, 'shop', true],
    [[], 'shop', true],
    [['*'], 'shop', true],
    [['.'], 'shop', false],
    [['.'], 'pay', true],
    [['shop'], 'shop', true],
    [['other'], 'shop', false],
    [['~'], 'pay', false],
  ])('%j of an object in pay, seen from %s: %s', (exportTo, viewer, visible) => {
    expect(isExportedTo(exportTo, 'pay', viewer)).toBe(visible)
  })
  test('the mesh default counts only for objects that say nothing', () => {
    expect(isExportedTo(undefined, 'pay', 'shop', ['.'])).toBe(false)
    expect(isExportedTo(['*'], 'pay', 'shop', ['.'])).toBe(true)
  })
})

describe('virtual hosts', () => {
  test('a short name is known in the own namespace only', () => {
    expect(domainsOf('web.shop.svc.cluster.local', 'shop', ['10.0.0.1'])).toContain('web')
    expect(domainsOf('web.shop.svc.cluster.local', 'pay', ['10.0.0.1'])).toEqual([
      'web.shop.svc.cluster.local',
      'web.shop.svc.cluster.local.',
      'web.shop',
      'web.shop.svc',
      '10.0.0.1',
    ])
  })
  test('pods of a headless service have names below it', () => {
    expect(domainsOf('db.shop.svc.cluster.local', 'pay', ['None'], { headless: true })).toContain('*.db.shop')
  })
  test.each([
    ['web.shop', 0],
    ['WEB.shop:80', 0],
    ['a.ext.test', 1],
    ['a.b.ext.test', 2],
    ['ext.test', 4],
    ['api.anything', 3],
  ])('%s goes to entry %s', (authority, index) => {
    const domains = [['web.shop'], ['*.ext.test'], ['*.b.ext.test'], ['api.*'], ['*']]
    expect(matchDomain(authority, domains, true)).toBe(index)
  })
  test('no domain fits', () => expect(matchDomain('x', [['y']], true)).toBe(-1))
  test('the port counts unless it is ignored', () => {
    expect(matchDomain('web:80', [['web'], ['web:80']], false)).toBe(1)
    expect(matchDomain('web:80', [['web']], false)).toBe(-1)
  })
  test.each([
    ['web:80', { host: 'web', port: 80 }],
    ['web', { host: 'web', port: null }],
    ['[::1]:80', { host: '[::1]', port: 80 }],
    ['fd00::1', { host: 'fd00::1', port: null }],
  ])('%s', (authority, expected) => expect(splitAuthority(authority)).toEqual(expected))
})

describe('protocol of a port', () => {
  test.each([
    ['http-web', undefined, 8080, 'http'],
    ['grpc-web', undefined, 8080, 'http'],
    ['https', undefined, 443, 'tls'],
    ['tcp-x', undefined, 9000, 'tcp'],
    ['web', undefined, 8080, 'auto'],
    ['', undefined, 8080, 'auto'],
    ['web', undefined, 3306, 'tcp'],
    ['tcp', 'http', 8080, 'http'],
    ['http', 'kubernetes.io/h2c', 8080, 'http'],
    ['httpx', undefined, 8080, 'auto'],
  ] as const)('%s %s %s is %s', (name, appProtocol, port, kind) => {
    expect(portKind(name, appProtocol, port, 'TCP')).toBe(kind)
  })
})

describe('what a proxy knows', () => {
  const service = (name: string, namespace: string, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, ...more },
    spec: { clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80 }] },
  })
  const viewer = { namespace: 'shop', labels: { app: 'web' } }
  const sidecar = (hosts: string[], spec: object = {}) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: 's', namespace: 'shop' },
    spec: { egress: [{ hosts }], ...spec },
  })
  const seen = (objects: any[]) =>
    visibleServices(registryServices(objects), viewer, sidecarScope(objects, viewer, 'istio-system')).map(
      ({ host }) => host.split('.')[0],
    )
  test.each([
    [[], ['a', 'b']],
    [[sidecar(['./*'])], ['a']],
    [[sidecar(['*/*'])], ['a', 'b']],
    [[sidecar(['pay/b.pay.svc.cluster.local'])], ['b']],
    [[sidecar(['~/*'])], []],
    [[sidecar(['./*'], { workloadSelector: { labels: { app: 'other' } } })], ['a', 'b']],
    [[sidecar(['./*'], { workloadSelector: { labels: { app: 'web' } } })], ['a']],
  ])('case %#: %j', (sidecars, expected) => {
    expect(seen([service('a', 'shop'), service('b', 'pay'), ...sidecars])).toEqual(expected)
  })
  test('an annotation keeps a service private', () => {
    const hidden = service('b', 'pay', { annotations: { 'networking.istio.io/exportTo': '.' } })
    expect(seen([service('a', 'shop'), hidden])).toEqual(['a'])
  })
})

describe('annotations that bypass the sidecar', () => {
  const p = 'traffic.sidecar.istio.io/'
  test.each([
    [{}, 8080, '10.0.0.1', true],
    [{ [`${p}excludeOutboundPorts`]: '80, 8080' }, 8080, '10.0.0.1', false],
    [{ [`${p}excludeOutboundPorts`]: '80' }, 8080, '10.0.0.1', true],
    [{ [`${p}excludeOutboundIPRanges`]: '10.0.0.0/24' }, 80, '10.0.0.9', false],
    [{ [`${p}excludeOutboundIPRanges`]: '10.0.1.0/24' }, 80, '10.0.0.9', true],
    [{ [`${p}includeOutboundIPRanges`]: '10.1.0.0/16' }, 80, '10.0.0.9', false],
    [{ [`${p}includeOutboundIPRanges`]: '' }, 80, '10.0.0.9', false],
    [{ [`${p}includeOutboundIPRanges`]: '*' }, 80, '10.0.0.9', true],
    [{ [`${p}includeOutboundIPRanges`]: '10.1.0.0/16', [`${p}includeOutboundPorts`]: '80' }, 80, '10.0.0.9', true],
  ])('outbound %j to port %s of %s: %s', (annotations, port, address, captured) => {
    expect(outboundCapture(annotations, port, address).captured).toBe(captured)
  })
  test.each([
    [{}, 8080, true],
    [{ [`${p}excludeInboundPorts`]: '8080' }, 8080, false],
    [{ [`${p}includeInboundPorts`]: '' }, 8080, false],
    [{ [`${p}includeInboundPorts`]: '8080' }, 8080, true],
  ])('inbound %j at %s: %s', (annotations, port, captured) => {
    expect(inboundCapture(annotations, port).captured).toBe(captured)
  })
})
