import type { Labels } from './workload.ts'

export interface InjectionQuestion {
  readonly namespace: string
  readonly namespaceLabels: Labels
  readonly podLabels: Labels
  readonly podAnnotations: Labels
  readonly hostNetwork: boolean
  /** Revisions and tags that a webhook exists for; `default` among them when one serves it. `null`: not looked at. */
  readonly revisions: readonly string[] | null
  /** The webhook's `enableNamespacesByDefault`. */
  readonly byDefault?: boolean
}

export interface InjectionAnswer {
  readonly injected: boolean | 'unknown'
  /** Which revision's webhook would be called. */
  readonly revision: string | null
  readonly because: string
}

const neverInjected: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']

/** Would a pod created now get a sidecar? First the webhook's selectors, then what the injector decides by itself. */
export function wouldBeInjected(question: InjectionQuestion): InjectionAnswer {
  const called = webhookRevision(question)
  if (called.revision === null) return { injected: false, ...called }
  const { revision, because } = called
  if (question.revisions !== null && !question.revisions.includes(revision))
    return { injected: false, revision: null, because: `${because}, but no webhook serves revision ${revision}` }
  if (question.hostNetwork) return { injected: false, revision, because: 'hostNetwork pods are never injected' }
  if (neverInjected.includes(question.namespace))
    return { injected: false, revision, because: `namespace ${question.namespace} is never injected` }
  const asked =
    question.podLabels['sidecar.istio.io/inject'] ?? question.podAnnotations['sidecar.istio.io/inject'] ?? ''
  if (asked !== '' && !/^(y|yes|true|on)$/i.test(asked))
    return { injected: false, revision, because: `sidecar.istio.io/inject is "${asked}" on the pod` }
  if (question.revisions === null)
    return {
      injected: 'unknown',
      revision,
      because: `${because}; whether a webhook serves ${revision} was not looked at`,
    }
  return { injected: true, revision, because }
}

function webhookRevision(question: InjectionQuestion): { readonly revision: string | null; readonly because: string } {
  const injection = question.namespaceLabels['istio-injection']
  const namespaceRevision = question.namespaceLabels['istio.io/rev']
  const wish = question.podLabels['sidecar.istio.io/inject']
  const podRevision = question.podLabels['istio.io/rev']
  if (injection === 'disabled')
    return { revision: null, because: 'the namespace has istio-injection=disabled, which no pod label outweighs' }
  if (injection !== undefined && injection !== 'enabled')
    return { revision: null, because: `istio-injection=${injection} is no value that a webhook selects` }
  if (wish === 'false') return { revision: null, because: 'the pod has label sidecar.istio.io/inject=false' }
  if (injection === 'enabled')
    return {
      revision: 'default',
      because: namespaceRevision
        ? `istio-injection=enabled outweighs istio.io/rev=${namespaceRevision}`
        : 'the namespace has istio-injection=enabled',
    }
  if (namespaceRevision !== undefined)
    return { revision: namespaceRevision, because: `the namespace has istio.io/rev=${namespaceRevision}` }
  if (podRevision !== undefined) return { revision: podRevision, because: `the pod has istio.io/rev=${podRevision}` }
  if (wish === 'true') return { revision: 'default', because: 'the pod has label sidecar.istio.io/inject=true' }
  if (question.byDefault) return { revision: 'default', because: 'the webhook selects namespaces by default' }
  return { revision: null, because: 'neither the namespace nor the pod asks for injection' }
}

export interface AmbientQuestion {
  readonly namespaceLabels: Labels
  readonly podLabels: Labels
  readonly podAnnotations: Labels
  readonly hostNetwork: boolean
}

export interface AmbientAnswer {
  readonly shouldBe: boolean
  /** `pending`: the node's rules are set, ztunnel has not been told. */
  readonly is: boolean | 'pending'
  readonly because: string
}

/** Enrolment follows labels without a restart; the annotation says that the CNI node agent has done it. */
export function ambientEnrolment(question: AmbientQuestion): AmbientAnswer {
  const redirection = question.podAnnotations['ambient.istio.io/redirection']
  const is = redirection === 'enabled' ? true : redirection === 'pending' ? 'pending' : false
  const pod = question.podLabels['istio.io/dataplane-mode']
  const namespace = question.namespaceLabels['istio.io/dataplane-mode']
  if (question.hostNetwork) return { shouldBe: false, is, because: 'hostNetwork pods are never captured' }
  if (question.podAnnotations['sidecar.istio.io/status'] !== undefined)
    return { shouldBe: false, is, because: 'the pod has a sidecar' }
  if (pod === 'ambient') return { shouldBe: true, is, because: 'the pod has istio.io/dataplane-mode=ambient' }
  if (namespace === 'ambient' && pod !== 'none')
    return { shouldBe: true, is, because: 'the namespace has istio.io/dataplane-mode=ambient' }
  if (namespace === 'ambient')
    return { shouldBe: false, is, because: 'the pod opts out with istio.io/dataplane-mode=none' }
  return { shouldBe: false, is, because: 'neither the namespace nor the pod has istio.io/dataplane-mode=ambient' }
}
