import { describe, expect, test } from 'vitest'
import analyze from '../../parsers/analyze.ts'
import authzCheck from '../../parsers/authz-check.ts'
import checkInject from '../../parsers/check-inject.ts'
import describeParser from '../../parsers/describe.ts'
import istioctlVersion from '../../parsers/istioctl-version.ts'
import proxyConfigLog from '../../parsers/proxy-config-log.ts'
import proxyStatus from '../../parsers/proxy-status.ts'
import proxyStatusDiff from '../../parsers/proxy-status-diff.ts'
import syncz from '../../parsers/syncz.ts'
import waypointStatus from '../../parsers/waypoint-status.ts'
import ztunnelCertificates from '../../parsers/ztunnel-certificates.ts'
import ztunnelConnections from '../../parsers/ztunnel-connections.ts'
import ztunnelServices from '../../parsers/ztunnel-services.ts'
import { ParseError } from '../../src/model/errors.ts'

// What no recording shows: several istiods, versions and faults that the recorded meshes did not have.

describe('proxy-status', () => {
  const resource = (id: string, ...configs: object[]) => ({ node: { id, metadata: {} }, genericXdsConfigs: configs })

  test('joins the answers of several istiods, of which one may be empty', () => {
    const istiod = (ID: string) => ({ controlPlane: { identifier: JSON.stringify({ Component: 'istiod', ID }) } })
    const cds = { typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' }
    const documents = [
      { resources: [resource('a.one', { ...cds, configStatus: 'SYNCED' })], ...istiod('istiod-1') },
      { versionInfo: '', ...istiod('istiod-2') },
      { resources: [resource('b.two', cds)], ...istiod('istiod-3') },
    ]
    const { proxies } = proxyStatus.parse(documents.map((document) => JSON.stringify(document, null, 4)).join('\n'))
    expect(proxies.map(({ proxy, istiod }) => [proxy, istiod])).toEqual([
      ['a.one', 'istiod-1'],
      ['b.two', 'istiod-3'],
    ])
    // A type without a status is a type of which nothing is known.
    expect(proxies[1]?.types.CDS).toMatchObject({ state: 'unknown' })
  })

  test('reads the fields of old istiods, rejections, types without a short name, and the zero time', () => {
    const { proxies } = proxyStatus.parse(
      JSON.stringify({
        resources: [
          resource(
            'a.one',
            { typeUrl: 'type.googleapis.com/istio.workload.Address', configStatus: 'SYNCED' },
            { typeUrl: 'type.googleapis.com/istio.workload.Workload', configStatus: 'STALE' },
            { typeUrl: 'acme.Thing', configStatus: 'NOT_SENT', lastUpdated: '0001-01-01T00:00:00Z' },
            { typeUrl: 'acme.Other', configStatus: 'ERROR', errorState: { details: 'no such filter' } },
          ),
          { node: { id: 'old' }, xdsConfig: [{ status: 'STALE', endpointConfig: {} }] },
        ],
      }),
    )
    expect(proxies[0]?.types).toEqual({
      WDS: { state: 'SYNCED', raw: 'SYNCED' },
      'WDS (2)': { state: 'STALE', raw: 'STALE' },
      'acme.Thing': { state: 'NOT SENT', raw: 'NOT_SENT' },
      'acme.Other': { state: 'ERROR', detail: 'no such filter', raw: 'ERROR' },
    })
    expect(proxies[1]).toMatchObject({ name: 'old', namespace: null, types: { EDS: { state: 'STALE' } } })
  })

  test('reads ages in every unit and keeps what it does not know', () => {
    const cells = ['SYNCED (2m3s)', 'STALE (5d12h)', 'SYNCED (2y100d)', 'SYNCED (<invalid>)', 'WAITING (3s)', '']
    const width = 30
    const header = ['NAME', 'CLUSTER', 'T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'ISTIOD', 'VERSION']
    const line = (cells: readonly string[]) => cells.map((cell) => cell.padEnd(width)).join('')
    const { proxies } = proxyStatus.parse(`${line(header)}\n${line(['a.b', 'c', ...cells, 'i', '1.25.0'])}\n`)
    expect(Object.values(proxies[0]!.types).map(({ state, ageSeconds }) => [state, ageSeconds])).toEqual([
      ['SYNCED', 123],
      ['STALE', 5 * 86_400 + 12 * 3600],
      ['SYNCED', 2 * 31_536_000 + 100 * 86_400],
      ['SYNCED', undefined],
      ['unknown', 3],
      ['unknown', undefined],
    ])
    expect(proxies[0]!.types.T5?.raw).toBe('WAITING (3s)')
  })

  test('takes neither silence nor JSON of another command for a mesh without proxies', () => {
    for (const text of ['', '\n', '[]', '{"clientVersion": {}}', 'NAME     CLUSTER     ISTIOD     VERSION\n'])
      expect(() => proxyStatus.parse(text), text).toThrow(ParseError)
  })
})

describe('syncz', () => {
  const entry = {
    cluster_id: 'K',
    proxy: 'a.one',
    proxy_type: 'sidecar',
    cluster_sent: 'x',
    cluster_acked: 'x',
    route_sent: 'y',
  }
  const types = { CDS: { state: 'SYNCED' }, RDS: { state: 'STALE' } }

  test('of all istiods is an object, with JSON inside strings until 1.27', () => {
    for (const body of [[entry], JSON.stringify([entry])])
      expect(syncz.parse(JSON.stringify({ 'istiod-1': body, 'istiod-2': [] })).proxies).toMatchObject([
        { istiod: 'istiod-1', proxyType: 'sidecar', types },
      ])
  })

  test('says why a push was rejected', () => {
    const resources = {
      'type.googleapis.com/envoy.config.listener.v3.Listener': { sent: 'a', acked: 'a', lastError: 'bad' },
    }
    expect(syncz.parse(JSON.stringify([{ ...entry, resources }])).proxies[0]?.types).toMatchObject({
      LDS: { state: 'ERROR', detail: 'bad' },
    })
  })

  test('is refused where the proxy is elsewhere', () => {
    for (const text of ['Proxy not connected to this Pilot instance.', '{"istiod-1": "Proxy not connected"}'])
      expect(() => syncz.parse(text)).toThrow(ParseError)
  })
})

describe('analyze', () => {
  test('reads an object of a file, a cluster, a continued message and an unknown code', () => {
    const text = [
      'Error [IST0101] [cluster-c2] (Gateway default/gw my dir/gateway (1).yaml:9) Referenced selector not found: "istio=x"',
      'Warning [IST9999] (Thing shop/x) something new (in brackets)',
      'and more of it',
      'Info [IST0144] User ID (UID) 1337 is reserved',
      'Error: Analyzers found issues when analyzing namespace: default.',
      'See https://istio.io/v1.31/docs/reference/config/analysis for more information about causes and resolutions.',
    ].join('\n')
    expect(analyze.parse(text)).toMatchObject([
      {
        code: 'IST0101',
        level: 'Error',
        cluster: 'c2',
        origin: { kind: 'Gateway', namespace: 'default', name: 'gw' },
        reference: 'my dir/gateway (1).yaml:9',
        args: { reftype: 'selector', refval: 'istio=x' },
      },
      { code: 'IST9999', message: 'something new (in brackets)\nand more of it', args: {} },
      { code: 'IST0144', origin: null, message: 'User ID (UID) 1337 is reserved' },
    ])
  })

  test('is empty for a clean answer and refused where nothing was analyzed', () => {
    for (const text of ['\n', '[]', '[]\n', '✔ No validation issues found when analyzing namespace: shop.\n'])
      expect(analyze.parse(text), text).toEqual([])
    for (const text of [
      '',
      'The recursive flag has been removed and is hardcoded to true\n',
      'Error(s) adding files: 1 error occurred:\n',
      'No validation issues found when analyzing namespace: x (but 1 file could not be parsed).\n',
      '{"code": "IST0101"}',
    ])
      expect(() => analyze.parse(text), text).toThrow(ParseError)
  })
})

describe('version', () => {
  test('of istiods that differ has a line for each, and a mesh without proxies has none', () => {
    const text = 'client version: 1.27.9\npilot version: 1.26.2\npilot version: 1.27.9\ndata plane version: none\n'
    expect(istioctlVersion.parse(text)).toMatchObject({
      client: '1.27.9',
      controlPlane: [{ version: '1.26.2' }, { version: '1.27.9' }],
      dataPlane: [],
    })
  })

  test('tells "did not answer" from "none"', () => {
    expect(istioctlVersion.parse('1.22.8\n')).toMatchObject({ client: '1.22.8', controlPlane: null, dataPlane: null })
    const json = { clientVersion: { version: '1.30.3' }, dataPlaneVersion: null }
    expect(istioctlVersion.parse(JSON.stringify(json))).toMatchObject({
      controlPlane: null,
      dataPlane: [],
      proxies: [],
    })
  })

  test('counts several versions of proxies', () => {
    const text =
      'client version: 1.27.9\ncontrol plane version: 1.27.9\ndata plane version: 1.26.2 (3 proxies), 1.27.9 (1 proxies)\n'
    expect(istioctlVersion.parse(text).dataPlane).toEqual([
      { version: '1.26.2', proxies: 3 },
      { version: '1.27.9', proxies: 1 },
    ])
  })
})

describe('describe', () => {
  test('keeps apart the ports of a service, and those of a rule', () => {
    const { services } = describeParser.parse(
      [
        'Service: api.shop',
        '   Port: http 80/HTTP targets pod port 8080',
        '   Port: grpc 90/GRPC targets pod port 9090',
        '80:',
        '   DestinationRule: api for "api"',
        '      Matching subsets: v1',
        '      Traffic Policy TLS Mode: SIMPLE',
        '      Port Level Settings:',
        '       80:',
        '         TLS Mode: DISABLE',
        '90:',
        '   VirtualService: api',
        '      Route to host "api" subset "v1" with weight 30%',
        '      2 additional destination(s) that will not reach this pod',
        'RBAC policies: ns[shop]-policy[a]-rule[0], ns[shop]-policy[b]-rule[1]',
      ].join('\n'),
    )
    expect(services).toMatchObject([
      {
        name: 'api.shop',
        destinationRules: [
          { port: 80, trafficPolicy: { tlsMode: 'SIMPLE' }, portLevel: { 80: { tlsMode: 'DISABLE' } } },
        ],
        virtualServices: [{ port: 90, routes: [{ host: 'api', subset: 'v1', weightPercent: 30 }] }],
        rbacPolicies: [
          { policy: 'a', rule: '0' },
          { policy: 'b', rule: '1' },
        ],
      },
    ])
  })

  test('reads modes of single ports and the policies that made them', () => {
    const text =
      'Pod: web-1\n   Pod is not Running (Pending)\nEffective PeerAuthentication:\n   Workload mTLS mode: STRICT\n' +
      '   Port Level mTLS mode:\n      8080: DISABLE\nApplied PeerAuthentication:\n   default.istio-system, web.shop\n   x.shop\n'
    const described = describeParser.parse(text)
    expect(described.pod).toMatchObject({ name: 'web-1', notRunning: 'Pending' })
    expect(described.peerAuthentication).toEqual({
      mode: 'STRICT',
      ports: { 8080: 'DISABLE' },
      applied: ['default.istio-system', 'web.shop', 'x.shop'],
    })
  })

  test('keeps warnings and lines that it does not understand', () => {
    const text =
      'Pod: web-1\nWARNING: Proxy is stale; it references to non-existent destination rule x.shop\nSomething new\n'
    expect(describeParser.parse(text)).toMatchObject({
      warnings: [expect.stringContaining('stale')],
      other: ['Something new'],
    })
    for (const text of ['', 'Something new\n', 'Error: pods "x" not found\n'])
      expect(() => describeParser.parse(text), text).toThrow(ParseError)
  })
})

test('a difference without a heading, as until 1.21, is a difference', () => {
  const text =
    '--- Istiod Clusters\n+++ Envoy Clusters\n@@ -1,3 +1,2 @@\n {\n-   "name": "outbound|80||a"\n }\n' +
    "Listeners Match\nRoutes Don't Match (RDS last loaded at Tue, 04 Jul 2023 14:46:26 UTC)\n--- Istiod Routes\n+++ Envoy Routes\n"
  expect(proxyStatusDiff.parse(text)).toMatchObject({
    clusters: { matches: false, namesOnlyInIstiod: ['outbound|80||a'] },
    listeners: { matches: true },
    routes: { matches: false, lastLoaded: 'Tue, 04 Jul 2023 14:46:26 UTC' },
  })
  expect(proxyStatusDiff.parse('Clusters Match\n')).toMatchObject({
    clusters: { matches: true },
    listeners: null,
    routes: null,
  })
  expect(proxyStatusDiff.parse('Sync diff is not available for ztunnel pod z.istio-system\n').notAvailable).toContain(
    'ztunnel',
  )
  expect(() => proxyStatusDiff.parse("invalid character 'F' looking for beginning of value\n")).toThrow(ParseError)
})

test('what check-inject says below its table is no row of it', () => {
  const header = 'WEBHOOK                 REVISION  INJECTED      REASON\n'
  expect(checkInject.parse(`${header}ERROR: no Istio injection hooks present.`)).toEqual({
    webhooks: [],
    problems: ['no Istio injection hooks present.'],
  })
})

test('authz check tells an empty table from no table', () => {
  expect(authzCheck.parse('ACTION   AuthorizationPolicy   RULES\n')).toEqual({ tablePrinted: true, policies: [] })
  expect(authzCheck.parse('')).toEqual({ tablePrinted: false, policies: [] })
})

test('the last row that waypoint status prints of a waypoint counts', () => {
  const line = (status: string) => `waypoint     ${status.padEnd(11)}Programmed     Pending     waiting\n`
  const text = `NAME         STATUS     TYPE           REASON      MESSAGE\n${line('False')}${line('False')}${line('True')}`
  expect(waypointStatus.parse(text)).toMatchObject([{ name: 'waypoint', status: 'True' }])
})

test('log levels of several proxies stay apart', () => {
  const text = 'a.one:\nactive loggers:\n  rbac: debug\n\nb.two:\nactive loggers:\n  rbac: warning\n'
  expect(proxyConfigLog.parse(text)).toEqual([
    { proxy: 'a.one', levels: { rbac: 'debug' } },
    { proxy: 'b.two', levels: { rbac: 'warning' } },
  ])
})

test('ztunnel says why it has no certificate, and an older istioctl puts the root at the end of the chain', () => {
  const certificate = (serialNumber: string) => ({ serialNumber, validFrom: 'a', expirationTime: 'b' })
  const entries = [
    { identity: 'spiffe://x/ns/a/sa/b', state: 'Available', certChain: [certificate('255'), certificate('256')] },
    { identity: 'spiffe://x/ns/a/sa/c', state: 'Unavailable: signing gRPC error (x): y', certChain: [] },
  ]
  expect(ztunnelCertificates.parse(JSON.stringify(entries))).toMatchObject([
    { type: 'Leaf', serial: `${'0'.repeat(30)}ff` },
    { type: 'Root', serial: `${'0'.repeat(29)}100` },
    { type: null, state: 'Unavailable', stateDetail: 'signing gRPC error (x): y' },
  ])
})

test('endpoints that ztunnel holds for unhealthy are counted, not healthy', () => {
  const endpoints = {
    a: { workloadUid: 'a', port: {}, status: 'Unhealthy' },
    b: { workloadUid: 'b', port: { 80: 8080 } },
  }
  const text = JSON.stringify([{ name: 's', namespace: 'n', hostname: 'h', vips: ['net/10.0.0.1', '/::1'], endpoints }])
  expect(ztunnelServices.parse(text)).toMatchObject([
    { vips: ['10.0.0.1', '::1'], endpointsHealthy: 1, endpointsTotal: 2 },
  ])
})

test('connections without a target keep their protocol', () => {
  const text =
    'WORKLOAD DIRECTION LOCAL      REMOTE     REMOTE TARGET PROTOCOL\n' +
    'web.shop Inbound   10.0.0.1:1 10.0.0.2:2               HBONE\n'
  expect(ztunnelConnections.parse(text).connections).toMatchObject([
    { direction: 'inbound', target: null, protocol: 'HBONE' },
  ])
})
