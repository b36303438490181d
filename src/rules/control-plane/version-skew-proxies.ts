import { fired, quiet } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { proxiesOnTheWay, proxyId } from '../lib/sync-state.ts'

/** Proxies of this call run a version that is more than one minor away from their control plane. */
export default defineRule({
  code: 'version-skew-proxies',
  layer: 'upgrade',
  severity: 'warning',
  explains: [],
  title: 'Proxies and control plane are too far apart',
  why: 'One minor version between istiod and proxies is supported. Further apart, proxies may get configuration that they read differently.',
  needs: [],
  seeAlso: ['https://istio.io/latest/docs/releases/supported-releases/#control-planedata-plane-skew'],
  check(situation) {
    const controls = (situation.istioVersion?.controlPlane ?? []).flatMap(({ version }) => minorOf(version) ?? [])
    if (controls.length === 0) return quiet
    const far = proxiesOnTheWay(situation).flatMap((pod) => {
      const sync = situation.sync(pod)
      const own = minorOf(sync?.version ?? null)
      const nearest = own === null ? null : Math.min(...controls.map((one) => Math.abs(one - own)))
      return sync && nearest !== null && nearest > 1 ? [{ pod, sync }] : []
    })
    const [first] = far
    if (!first) return quiet
    const versions = situation.istioVersion?.controlPlane?.map(({ version }) => version).join(', ') ?? ''
    return fired(
      hit({
        subject: proxyId(first.pod),
        title: `${far.map(({ pod }) => proxyId(pod)).join(', ')} run another version than the control plane`,
        statement: `${far.map(({ pod, sync }) => `${proxyId(pod)} runs ${sync.version}`).join(', ')}; the control plane runs ${versions}. More than one minor version apart is not supported.`,
        certainty: 'proven',
        supporting: far
          .slice(0, 3)
          .map(({ pod, sync }) => quote(sync.entry, `version of ${proxyId(pod)}`, `${sync.proxy} ${sync.version}`)),
        fix: {
          statement:
            'Replace the old pods, one workload at a time; they come back with the proxy of the current version.',
          commands: far.slice(0, 3).flatMap(({ pod }) => workloadCommand(pod, 'rollout restart')),
          scope: 'the pods named',
          risk: 'a newer proxy may have other defaults: read the upgrade notes first',
          undo: 'kubectl rollout undo of the workload',
        },
        verify: { command: 'istioctl version', expect: 'data plane versions within one minor of the control plane' },
        about: 'aside',
      }),
    )
  },
})

function minorOf(version: string | null): number | null {
  const match = version === null ? null : /^v?1\.(\d+)/.exec(version)
  return match ? Number(match[1]) : null
}
