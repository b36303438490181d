import certificatesParser from '../../parsers/ztunnel-certificates.ts'
import policiesParser from '../../parsers/ztunnel-policies.ts'
import servicesParser from '../../parsers/ztunnel-services.ts'
import workloadsParser from '../../parsers/ztunnel-workloads.ts'
import type { Layer } from '../model/layer.ts'
import type { Parser } from '../model/parser.ts'
import { ask, count, defineProbe, endsAreKnown, endTellers, istioctl, nothing, podTarget, waitFor } from './define.ts'

/** What one ztunnel holds; all of them hold the same, so the one on the destination's node is asked. */
function ztunnelConfig<T extends readonly unknown[]>(
  name: string,
  kind: string,
  title: string,
  parser: Parser<T>,
  what: string,
  many: string,
) {
  const layer: Layer = 'ambient-ztunnel'
  return defineProbe<T>({
    name,
    roles: ['ztunnel'],
    title,
    layer,
    needsExec: true,
    plan(situation) {
      if (!endsAreKnown(situation, 'ztunnel')) return waitFor('the ztunnels', ...endTellers(situation))
      if (situation.mode !== 'ambient' && situation.mode !== 'mixed') return nothing
      const nodes = situation.server.pods.map(({ node }) => node)
      const chosen = situation.ztunnels.find(({ node }) => nodes.includes(node)) ?? situation.ztunnels[0]
      if (!chosen)
        return {
          plan: 'missing',
          reason: 'not-found',
          detail: 'no ztunnel pod was found on the nodes of this call',
          unlock: `kubectl get pods -n ${situation.given.istioNamespace} -l app=ztunnel -o wide`,
        }
      return ask(
        podTarget(chosen, istioctl('ztunnel-config', kind, `${chosen.name}.${chosen.namespace}`, '-o', 'json')),
      )
    },
    read: ({ stdout }) => parser.parse(stdout),
    learned: (data) => count(data.length, what, many),
  })
}

export const ztunnelWorkloads = ztunnelConfig(
  'ztunnelWorkloads',
  'workload',
  'workloads as ztunnel knows them',
  workloadsParser,
  'workload',
  'workloads',
)
export const ztunnelServices = ztunnelConfig(
  'ztunnelServices',
  'service',
  'services as ztunnel knows them',
  servicesParser,
  'service',
  'services',
)
export const ztunnelPolicies = ztunnelConfig(
  'ztunnelPolicies',
  'policy',
  'policies as ztunnel enforces them',
  policiesParser,
  'policy',
  'policies',
)
export const ztunnelCertificates = ztunnelConfig(
  'ztunnelCertificates',
  'certificate',
  'certificates ztunnel holds',
  certificatesParser,
  'certificate',
  'certificates',
)
