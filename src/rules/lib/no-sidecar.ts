import type { Certainty } from '../../model/answered-by.ts'
import type { SymptomId } from '../../model/call.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Decider, Fix, Hit } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { type Injection, injectionLabels } from './injection.ts'
import { quotePod, withoutProxy } from './pod-facts.ts'

/** A missing sidecar is the answer where it is the question; elsewhere it is true, and what it does to a call is another finding. */
export function aboutSidecar(symptom: SymptomId): Hit['about'] {
  return symptom === 'not-injected' ? 'call' : 'aside'
}

/** What all findings about a missing sidecar share: the pod, its namespace's labels, and how to see the change. */
export function noSidecar(
  { symptom }: Pick<Situation, 'symptom'>,
  { pod, namespace }: Injection,
  said: {
    readonly title: string
    readonly statement: string
    readonly certainty: Certainty
    readonly quotes?: readonly Quote[]
    readonly fix: Fix
    readonly wouldDecide?: Decider
  },
): Hit {
  const labels = namespace.object.metadata.labels ?? {}
  return {
    subject: podLabel(pod),
    title: said.title,
    statement: said.statement,
    certainty: said.certainty,
    supporting: [
      quotePod(pod, withoutProxy(pod)),
      quoteObject(namespace, `labels of namespace ${pod.namespace}: ${injectionLabels(namespace.object)}`, labels),
      ...(said.quotes ?? []),
    ],
    contradicting: [],
    fix: said.fix,
    verify: {
      command: `istioctl x check-inject -n ${pod.namespace} ${pod.name}`,
      expect: 'a webhook that says INJECTED ✔ for this pod; then istio-proxy in the pod that replaces it',
    },
    wouldDecide: said.wouldDecide ?? null,
    about: aboutSidecar(symptom),
  }
}
