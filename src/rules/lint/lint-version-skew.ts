import { controlPlaneVersions, minorOf, proxyVersionOf } from '../lib/proxy-versions.ts'
import { lintRule } from './lint-rule.ts'

/** D9: proxies more than one minor release away from the control plane. */
export default lintRule({
  code: 'lint-version-skew',
  layer: 'upgrade',
  severity: 'warning',
  title: 'Proxy and control plane are more than one release apart',
  why: 'A control plane serves proxies of its own minor release and of the one before. Older ones get configuration they may not know, and newer ones are not supported at all.',
  seeAlso: ['https://istio.io/latest/docs/releases/supported-releases/#control-planedata-plane-skew'],
  find: ({ store }) => {
    const control = controlPlaneVersions(store)
    if (control.length === 0) return []
    return store.list('Pod').flatMap((stored) => {
      const own = proxyVersionOf(stored.object)
      if (own === null) return []
      const distances = control.map((one) => minorOf(one) - minorOf(own))
      const least = distances.reduce((best, one) => (Math.abs(one) < Math.abs(best) ? one : best), distances[0] ?? 0)
      if (least >= 0 && least <= 1) return []
      return {
        stored,
        message: `its proxy is ${own}, the control plane ${control.join(', ')}: ${least < 0 ? 'the proxy is ahead' : `${least} minor releases behind`}`,
        part: { proxy: own, controlPlane: control },
        fix:
          least < 0
            ? 'Upgrade the control plane to the release of its proxies.'
            : 'Replace the pods of this workload, so that they get the proxy of the control plane.',
        risk: 'pods are replaced one by one',
      }
    })
  },
})
