import { targetRefs } from '../../mesh/policy-attachment.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { selectorOf } from '../lib/selectors.ts'
import { lintRule, namespaceOf } from './lint-rule.ts'

const kinds = [
  'AuthorizationPolicy',
  'RequestAuthentication',
  'PeerAuthentication',
  'Sidecar',
  'EnvoyFilter',
  'Telemetry',
  'WasmPlugin',
]

/** D23: a policy whose selector or target leads to nothing. */
export default lintRule({
  code: 'lint-selects-nothing',
  layer: 'authz',
  severity: 'warning',
  title: 'A policy that selects nothing',
  why: 'A selector that no pod fits, or a target that is not there, is accepted without a word, and the policy protects nobody.',
  find: (situation) =>
    kinds
      .flatMap((kind) => situation.store.list(kind))
      .flatMap((stored) => {
        const missing = missingTarget(situation, stored)
        if (missing)
          return {
            stored,
            message: `its target ${missing} is not there`,
            part: stored.object.spec?.targetRefs ?? stored.object.spec?.targetRef,
            fix: 'Name the object that is meant, in the namespace of the policy.',
          }
        const labels = selectorOf(stored.object)
        const wanted = Object.entries(labels)
        if (wanted.length === 0) return []
        const anywhere = namespaceOf(stored) === situation.rootNamespace
        const known = workloadLabels(situation, anywhere ? null : namespaceOf(stored))
        // Without any workload among the objects nothing can be said.
        if (known.length === 0 || known.some((own) => matchesLabels(labels, own))) return []
        const near = known.find((own) => wanted.some(([key, value]) => own[key] === value))
        const differing = near ? wanted.find(([key, value]) => near[key] !== value) : wanted[0]
        const [key = '', value = ''] = differing ?? []
        const values = [...new Set(known.flatMap((own) => own[key] ?? []))]
        return {
          stored,
          message: `no workload of ${anywhere ? 'the mesh' : namespaceOf(stored)} has ${key}=${value}${values.length > 0 ? `; there are ${key}=${values.slice(0, 4).join(', ')}` : ''}`,
          part: labels,
          fix: 'Write the labels that the pods carry into its selector, or delete it.',
          risk: 'a policy that fits again is enforced at once',
        }
      }),
})

function workloadLabels({ store }: Situation, namespace: string | null): readonly Readonly<Record<string, string>>[] {
  const list = (kind: string) => (namespace === null ? store.list(kind) : store.list(kind, namespace))
  return [
    ...list('Pod').map(({ object }) => object.metadata.labels ?? {}),
    ...['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'].flatMap((kind) =>
      list(kind).map(
        ({ object }) =>
          object.spec?.jobTemplate?.spec?.template?.metadata?.labels ?? object.spec?.template?.metadata?.labels ?? {},
      ),
    ),
  ]
}

/** Services and Gateways are looked for among what was read; a kind nobody read cannot be missing. */
function missingTarget({ store }: Situation, stored: Stored): string | null {
  for (const { kind, group, name } of targetRefs(stored.object)) {
    const stores: Readonly<Record<string, string>> = {
      Service: 'Service',
      Gateway: group === 'gateway.networking.k8s.io' ? 'K8sGateway' : 'Gateway',
      ServiceEntry: 'ServiceEntry',
    }
    const key = stores[kind]
    if (!key || store.readable(key, namespaceOf(stored)) !== 'yes') continue
    if (!store.get(key, namespaceOf(stored), name)) return `${kind} ${namespaceOf(stored)}/${name}`
  }
  return null
}
