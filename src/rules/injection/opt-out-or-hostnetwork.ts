import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type Injection, injectionOf, isAmbient, unproxiedPods } from '../lib/injection.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { noSidecar } from '../lib/no-sidecar.ts'
import { workloadCommand } from '../lib/pod-facts.ts'

const neverInjected = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'])

/** The pod is left out on purpose: by its own label or annotation, by hostNetwork, or by the namespace it is in. */
export default defineRule({
  code: 'opt-out-or-hostnetwork',
  layer: 'injection',
  severity: 'warning',
  explains: ['not-injected'],
  title: 'The pod opts out of injection',
  why: 'A pod with sidecar.istio.io/inject "false", with hostNetwork, or in a namespace of the system is never given a sidecar, whatever the namespace’s label says.',
  needs: [['client.config', 'server.config'], 'mesh.namespaces'],
  check(situation) {
    const hits = unproxiedPods(situation)
      .filter((pod) => !isAmbient(situation, pod))
      .flatMap((pod) => injectionOf(situation, pod) ?? [])
      .flatMap((injection) => optedOut(situation, injection) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function optedOut(situation: Situation, injection: Injection) {
  const { pod } = injection
  const by = reasonOf(injection)
  if (!by) return null
  const name = podLabel(pod)
  return noSidecar(situation, injection, {
    title: `${name} is kept out of injection: ${by.words}`,
    statement: `${name} has no sidecar because of ${by.words}. That is a setting of the pod itself, so a restart changes nothing.`,
    certainty: 'proven',
    quotes: [quote(pod.entry, 'what keeps it out', by.excerpt)],
    fix: {
      statement: by.fix(name),
      commands: by.editable ? workloadCommand(pod, 'edit') : [],
      scope: `the pods of ${name}`,
      risk: 'the setting may be there for a reason: ask its owner before it is changed',
      undo: 'put the setting back and let the pods be replaced',
    },
  })
}

interface Reason {
  readonly words: string
  readonly excerpt: string
  readonly editable: boolean
  readonly fix: (name: string) => string
}

function reasonOf({ pod, namespace }: Injection): Reason | null {
  // A namespace that switches injection off decides before the pod is asked.
  if (namespace.object.metadata.labels?.['istio-injection'] === 'disabled') return null
  const key = 'sidecar.istio.io/inject'
  for (const [where, value] of [
    ['label', pod.labels[key]],
    ['annotation', pod.annotations[key]],
  ] as const) {
    if (value === undefined || /^(y|yes|true|on)$/i.test(value)) continue
    return {
      words: `${where} ${key}="${value}"`,
      excerpt: `${key}: ${JSON.stringify(value)}`,
      editable: true,
      fix: (name) =>
        `If ${name} is meant to be in the mesh, remove ${where} ${key} from its pod template; keep its other ${where}s.`,
    }
  }
  if (pod.object.spec?.hostNetwork === true)
    return {
      words: 'hostNetwork: true',
      excerpt: 'hostNetwork: true',
      editable: false,
      fix: (name) =>
        `${name} shares the node's network, where no sidecar can capture its traffic: leave it out of the mesh, and let its destinations accept it by a narrow PeerAuthentication.`,
    }
  if (neverInjected.has(pod.namespace))
    return {
      words: `namespace ${pod.namespace}, which is never injected`,
      excerpt: `namespace: ${pod.namespace}`,
      editable: false,
      fix: (name) => `Move ${name} to a namespace of its own if it has to be in the mesh.`,
    }
  return null
}
