import { authorize } from '../../mesh/authorize.ts'
import { hasEnvoy } from '../../mesh/workload.ts'
import { type PodView, viewPod } from '../../situation/pods.ts'
import { workloadOf } from '../../situation/security.ts'
import { allowPoliciesFor } from '../lib/allow-policies.ts'
import { lintRule } from './lint-rule.ts'

/** D12: an ALLOW list without the probe or scraper that comes in plaintext. */
export default lintRule({
  code: 'lint-allow-forgets-scrapers',
  layer: 'authz',
  severity: 'warning',
  title: 'An ALLOW policy that forgets probes or scrapers',
  why: 'Scrapers outside the mesh and probes that are not rewritten come without an identity. An ALLOW list for callers of the mesh refuses them, and metrics or readiness vanish.',
  find: (situation) => {
    const seen = new Set<string>()
    return situation.store.list('Pod').flatMap((stored) => {
      const pod = viewPod(stored)
      if (!hasEnvoy(pod.proxy) && pod.proxy !== 'ambient') return []
      const policies = allowPoliciesFor(situation, pod)
      return visitors(pod).flatMap(({ what, port, path }) => {
        const decision = authorize(
          { protocol: 'http', method: 'GET', path, destinationPort: port, sourcePrincipal: null },
          policies.map(({ object }) => object),
          workloadOf(pod),
          situation.mesh,
        )
        const [policy] = policies
        const key = `${policy?.object.metadata.name}/${what}/${port}${path}`
        if (decision.decision !== 'denied' || decision.by?.action !== 'ALLOW' || !policy || seen.has(key)) return []
        seen.add(key)
        return {
          stored: policy,
          message: `${what} of ${pod.name} (GET ${path} on port ${port}, without an identity) fits none of the ALLOW rules for it`,
          fix: `Add a rule that allows GET ${path} on port ${port}; leave the other rules as they are.`,
          risk: 'the path is then open to everybody who reaches the port',
        }
      })
    })
  },
})

function visitors(pod: PodView): readonly { what: string; port: number; path: string }[] {
  const { annotations } = pod
  const port = Number(annotations['prometheus.io/port'])
  // Port 15020 is the agent's own and passes no policy.
  const scraped =
    annotations['prometheus.io/scrape'] === 'true' &&
    Number.isInteger(port) &&
    port > 0 &&
    ![15020, 15090].includes(port)
  const probes = annotations['sidecar.istio.io/rewriteAppHTTPProbers'] === 'false' ? probesOf(pod) : []
  return [
    ...(scraped ? [{ what: 'the scraper', port, path: annotations['prometheus.io/path'] ?? '/metrics' }] : []),
    ...probes,
  ]
}

function probesOf({ object }: PodView): readonly { what: string; port: number; path: string }[] {
  const containers: readonly Record<string, unknown>[] = object.spec?.containers ?? []
  return containers.flatMap((container) =>
    ['readinessProbe', 'livenessProbe', 'startupProbe'].flatMap((name) => {
      const get = (container[name] as { httpGet?: { port?: unknown; path?: unknown } } | undefined)?.httpGet
      return typeof get?.port === 'number'
        ? [{ what: `the ${name}`, port: get.port, path: String(get.path ?? '/') }]
        : []
    }),
  )
}
