import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import envoyCerts from '../../parsers/envoy-certs.ts'
import envoyClusters, { type EnvoyCluster } from '../../parsers/envoy-clusters.ts'
import envoyServerInfo from '../../parsers/envoy-server-info.ts'
import envoyStats from '../../parsers/envoy-stats.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'

const proxies = captures.flatMap((capture) => {
  const folder = join(meshesFolder, capture, 'proxies')
  return existsSync(folder) ? readdirSync(folder).map((proxy) => [capture, proxy] as const) : []
})

describe.skipIf(!hasShared)('what the admin ports of the captures answered', () => {
  test.each(proxies)('%s %s', (capture, proxy) => {
    const file = (name: string) => join(meshesFolder, capture, 'proxies', proxy, name)
    if (!existsSync(file('server_info.json')) && !existsSync(file('server_info.json.gz'))) {
      // A frozen proxy gave none of its answers; the capture says so.
      expect(readJson(file('failures.json'))['server_info.json']).toBeDefined()
      return
    }
    const fromJson = envoyClusters.parse(readMaybeGzipped(file('clusters.json')))
    const fromText = envoyClusters.parse(readMaybeGzipped(file('clusters.txt')))
    // The formats were asked for one after the other: counters and order may differ, the rest may not.
    expect(identityOf(fromText)).toEqual(identityOf(fromJson))
    expect(fromJson.length).toBe(readJson(file('clusters.json')).cluster_statuses.length)
    expect(envoyClusters.schema.parse(fromText)).toEqual(fromText)

    const { stats, texts } = envoyStats.parse(readMaybeGzipped(file('stats.txt')))
    const lines = readMaybeGzipped(file('stats.txt'))
      .split('\n')
      .filter((line) => /: (\d+|".*")$/.test(line))
    expect(stats.length + Object.keys(texts).length).toBe(lines.length)
    expect(stats.find(({ name }) => name === 'cluster_manager.cds.update_rejected')).toMatchObject({
      group: 'cluster_manager',
      stat: 'cds.update_rejected',
    })

    const info = envoyServerInfo.parse(readMaybeGzipped(file('server_info.json')))
    expect(`${info.node.name}.${info.node.namespace}`).toBe(proxy)
    expect(envoyServerInfo.schema.parse(info)).toEqual(info)

    const certs = envoyCerts.parse(readMaybeGzipped(file('certs.json')))
    const uses = certs.reduce((sum, pair) => sum + pair.uses, 0)
    expect(uses).toBe((readJson(file('certs.json')).certificates ?? []).length)
  })
})

function identityOf(clusters: readonly EnvoyCluster[]) {
  return clusters
    .map(({ hosts, ...cluster }) => ({
      ...cluster,
      hosts: hosts
        .map(({ stats, successRate: _, ...host }) => ({ ...host, stats: Object.keys(stats).sort() }))
        .sort(by('address')),
    }))
    .sort(by('name'))
}

function by<Key extends string>(key: Key) {
  return (a: Record<Key, string>, b: Record<Key, string>) => (a[key] < b[key] ? -1 : 1)
}

describe('admin answers that no capture holds', () => {
  test('unhealthy hosts read the same from both formats', () => {
    const text = [
      'c::default_priority::max_connections::1',
      'c::10.0.0.1:80::health_flags::/failed_active_hc/failed_outlier_check/failed_eds_health',
      'c::10.0.0.2:80::health_flags::/degraded_active_hc',
    ].join('\n')
    const status = (health_status: object, address: string) => ({
      address: { socket_address: { address, port_value: 80 } },
      health_status,
    })
    const json = JSON.stringify({
      cluster_statuses: [
        {
          name: 'c',
          circuit_breakers: { thresholds: [{ max_connections: 1 }] },
          host_statuses: [
            status(
              { failed_active_health_check: true, failed_outlier_check: true, eds_health_status: 'UNHEALTHY' },
              '10.0.0.1',
            ),
            status({ failed_active_degraded_check: true, eds_health_status: 'HEALTHY' }, '10.0.0.2'),
          ],
        },
      ],
    })
    expect(envoyClusters.parse(text)).toEqual(envoyClusters.parse(json))
    expect(envoyClusters.parse(json)[0]?.hosts.map(({ healthy, ejected }) => [healthy, ejected])).toEqual([
      [false, true],
      [true, false],
    ])
  })

  test('a health status of a later Envoy does not pass for healthy', () => {
    const host = {
      address: { socket_address: { address: '10.0.0.1', port_value: 80 } },
      health_status: { eds_health_status: 'QUARANTINED' },
    }
    const [cluster] = envoyClusters.parse(JSON.stringify({ cluster_statuses: [{ name: 'c', host_statuses: [host] }] }))
    expect(cluster?.hosts[0]).toMatchObject({ healthy: false, healthFlags: ['eds_status_quarantined'] })
  })

  test('Prometheus names are split like the others', () => {
    const text = [
      '# TYPE envoy_cluster_manager_cds_update_rejected counter',
      'envoy_cluster_manager_cds_update_rejected{} 2',
      'envoy_cluster_upstream_rq_total{cluster_name="outbound|80||a.b.svc.cluster.local;"} 5',
    ].join('\n')
    expect(envoyStats.parse(text).stats.map(({ name: _, ...stat }) => stat)).toEqual([
      { group: 'cluster_manager', scope: null, stat: 'cds.update_rejected', value: 2 },
      { group: 'cluster', scope: 'outbound|80||a.b.svc.cluster.local', stat: 'upstream_rq_total', value: 5 },
    ])
  })
})
