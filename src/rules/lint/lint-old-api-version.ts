import type { KubeObject } from '../../model/kube.ts'
import { lintRule } from './lint-rule.ts'

/** Kinds that have a v1. Others of these groups are served in older versions only. */
const graduated = [
  'VirtualService',
  'DestinationRule',
  'Gateway',
  'ServiceEntry',
  'Sidecar',
  'WorkloadEntry',
  'WorkloadGroup',
  'AuthorizationPolicy',
  'PeerAuthentication',
  'RequestAuthentication',
  'Telemetry',
]
const old = /^(?:networking|security|telemetry)\.istio\.io\/v1(?:alpha|beta)\d+$/

/** D22: objects written in an API version that a release will drop. */
export default lintRule({
  code: 'lint-old-api-version',
  layer: 'upgrade',
  severity: 'info',
  title: 'An object in an old API version',
  why: 'These kinds are v1. Old versions are still converted today; manifests that name them fail once a release stops serving them.',
  find: ({ store }) =>
    graduated
      .flatMap((kind) => store.list(kind))
      .flatMap((stored) => {
        const { object } = stored
        const version = old.test(object.apiVersion) ? object.apiVersion : appliedVersion(object)
        if (version === null) return []
        const group = version.slice(0, version.indexOf('/'))
        return {
          stored,
          message: `it was written as ${version}`,
          part: { apiVersion: version },
          fix: `Write ${group}/v1 in the manifest and apply it again; nothing else changes.`,
          risk: 'none where the cluster serves v1',
        }
      }),
})

/** The API server answers in the version it likes best; what was applied stands in an annotation. */
function appliedVersion({ metadata }: KubeObject): string | null {
  const text = metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']
  const found = text === undefined ? null : /"apiVersion"\s*:\s*"([^"]+)"/.exec(text.slice(0, 2000))
  return found?.[1] && old.test(found[1]) ? found[1] : null
}
