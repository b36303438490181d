import { bounded } from '../lib/bounded-pattern.ts'
import { proxyVersions } from '../lib/proxy-versions.ts'
import { lintRule } from './lint-rule.ts'

/** D8: an EnvoyFilter for every version, or for one that no proxy has. */
export default lintRule({
  code: 'lint-envoyfilter-version',
  layer: 'extension',
  severity: 'warning',
  title: 'An EnvoyFilter that is bound to no version, or to one that nobody runs',
  why: 'EnvoyFilters patch internals that change between releases. Without a proxyVersion a patch meets releases it was never tested with; with one that no proxy has it is left out silently.',
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/envoy-filter/'],
  find: ({ store }) => {
    const live = proxyVersions(store)
    return store.list('EnvoyFilter').flatMap((stored) => {
      const patches: unknown = stored.object.spec?.configPatches
      const versions = (Array.isArray(patches) ? patches : []).map(
        (patch) => patch?.match?.proxy?.proxyVersion as unknown,
      )
      const without = versions.filter((version) => typeof version !== 'string' || version === '').length
      const unmatched = versions.find(
        (version) =>
          typeof version === 'string' &&
          version !== '' &&
          live.length > 0 &&
          !live.some((one) => bounded(version).test(one)),
      )
      if (unmatched !== undefined)
        return {
          stored,
          message: `proxyVersion ${String(unmatched)} fits no proxy that runs (${live.join(', ')}): the patch is left out silently`,
          part: patches,
          fix: 'Check the patch against the release that runs, and then widen proxyVersion.',
        }
      if (without === 0) return []
      return {
        stored,
        message: `${without} of its ${versions.length} patches name no proxyVersion, so that the next upgrade tests them`,
        part: patches,
        fix: 'Add match.proxy.proxyVersion for the release it was written for; leave the patch itself as it is.',
      }
    })
  },
})
