import { isServiceHost } from '../lib/service-hosts.ts'
import { lintRule, namespaceOf } from './lint-rule.ts'

export const limitsAnnotation = 'meshtriage.io/require-connection-limits'

/** D19: somebody asked for connection limits, and there are none. */
export default lintRule({
  code: 'lint-no-connection-limits',
  layer: 'client-sidecar-cluster',
  severity: 'warning',
  title: 'Connection limits are asked for and missing',
  why: 'Without a connectionPool callers may open connections and requests without bounds, and a slow destination takes its callers down with it. Asked for by an annotation on the namespace or the Service.',
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/circuit-breaking/'],
  find: ({ store }) =>
    store.list('Service').flatMap((stored) => {
      const namespace = namespaceOf(stored)
      const asked =
        stored.object.metadata.annotations?.[limitsAnnotation] ??
        store.get('Namespace', null, namespace)?.object.metadata.annotations?.[limitsAnnotation]
      if (asked !== 'true') return []
      const host = `${stored.object.metadata.name}.${namespace}.svc.cluster.local`
      const limited = store
        .list('DestinationRule')
        .some(
          ({ object }) =>
            fits(String(object.spec?.host ?? ''), object.metadata.namespace, host) &&
            object.spec?.trafficPolicy?.connectionPool !== undefined,
        )
      if (limited) return []
      return {
        stored,
        message: `${limitsAnnotation} asks for connection limits, and no DestinationRule for ${host} has a connectionPool`,
        part: stored.object.spec?.ports ?? null,
        fix: `Add trafficPolicy.connectionPool to the DestinationRule for ${host}, with limits well above what is seen in use.`,
        risk: 'limits that are too low make callers fail with 503 UO',
      }
    }),
})

function fits(host: string, namespace: string | undefined, full: string): boolean {
  return isServiceHost(host, namespace, full) || (host.startsWith('*.') && full.endsWith(host.slice(1)))
}
