import { registryServices } from '../../mesh/service-registry.ts'
import type { Stored } from '../../situation/objects.ts'
import { isServiceHost } from '../lib/service-hosts.ts'
import { lintRule } from './lint-rule.ts'

/** D3: mutual TLS is switched off. */
export default lintRule({
  code: 'lint-mtls-disabled',
  layer: 'transport-mtls',
  severity: 'error',
  title: 'mTLS is disabled',
  why: 'With DISABLE traffic of the mesh goes in plaintext: no encryption, no identity, and no policy that names a caller can hold.',
  seeAlso: ['https://istio.io/latest/docs/reference/config/security/peer_authentication/'],
  find: ({ store }) => {
    const services = registryServices(store.objects('Service')).map(({ host }) => host)
    return [
      ...store.list('PeerAuthentication').flatMap((stored) => {
        const { mtls, portLevelMtls } = stored.object.spec ?? {}
        const ports = Object.entries(portLevelMtls ?? {}).flatMap(([port, setting]) =>
          (setting as { mode?: string } | null)?.mode === 'DISABLE' ? [port] : [],
        )
        if (mtls?.mode !== 'DISABLE' && ports.length === 0) return []
        const what = mtls?.mode === 'DISABLE' ? 'mutual TLS' : `mutual TLS of port ${ports.join(', ')}`
        return {
          stored,
          message: `${what} is switched off for the workloads it selects`,
          fix: 'Use PERMISSIVE while callers still send plaintext, and STRICT after that; leave the other ports as they are.',
        }
      }),
      ...store.list('DestinationRule').flatMap((stored) => {
        const host = String(stored.object.spec?.host ?? '')
        const inMesh =
          /\.svc(?:\.|$)/.test(host) ||
          services.some((full) => isServiceHost(host, stored.object.metadata.namespace, full))
        const places = disabledPlaces(stored)
        if (places.length === 0 || !inMesh) return []
        return {
          stored,
          message: `callers send plaintext to ${host}: ${places.join(', ')} has tls.mode DISABLE`,
          part: stored.object.spec,
          fix: `Remove the tls block at ${places.join(', ')}, so that the proxies choose mutual TLS where the destination can do it; keep the other settings.`,
        }
      }),
    ]
  },
})

function disabledPlaces({ object }: Stored): readonly string[] {
  const { trafficPolicy, subsets } = object.spec ?? {}
  const list: { name?: string; trafficPolicy?: { tls?: { mode?: string } } }[] = Array.isArray(subsets) ? subsets : []
  const ports: { port?: { number?: number }; tls?: { mode?: string } }[] = trafficPolicy?.portLevelSettings ?? []
  return [
    ...(trafficPolicy?.tls?.mode === 'DISABLE' ? ['trafficPolicy'] : []),
    ...ports.flatMap(({ port, tls }) => (tls?.mode === 'DISABLE' ? [`port ${port?.number}`] : [])),
    ...list.flatMap(({ name, trafficPolicy: own }) => (own?.tls?.mode === 'DISABLE' ? [`subset ${name}`] : [])),
  ]
}
