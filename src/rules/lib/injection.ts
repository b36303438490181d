import { type InjectionAnswer, wouldBeInjected } from '../../mesh/enrolment.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'

type Labels = Readonly<Record<string, string>>

export interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

interface Webhook {
  readonly name: string
  readonly failurePolicy?: string
  readonly namespaceSelector?: Selector
  readonly objectSelector?: Selector
  readonly rules?: readonly { readonly resources?: readonly string[] }[]
}

/** A label selector of Kubernetes; an absent or empty one matches everything. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {}
  if (!Object.entries(matchLabels).every(([key, value]) => labels[key] === value)) return false
  return matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return false
    }
  })
}

export interface InjectorWebhook {
  readonly stored: Stored
  readonly webhook: Webhook
}

/** Webhooks that inject sidecars, of all revisions and tags; also renamed ones, by their usual name in the mesh. */
export function injectorWebhooks({ store }: Situation): readonly InjectorWebhook[] {
  return store.list('MutatingWebhookConfiguration').flatMap((stored) => {
    const webhooks: readonly Webhook[] = stored.object.webhooks as readonly Webhook[] // checked by the API server
    return (Array.isArray(webhooks) ? webhooks : [])
      .filter(({ name }) => name.includes('sidecar-injector.istio.io'))
      .map((webhook) => ({ stored, webhook }))
  })
}

/** Revisions and tags that some webhook serves. Null when the webhooks were not read. */
export function servedRevisions(situation: Situation): readonly string[] | null {
  if (!situation.has('mesh.webhooks')) return null
  const all = injectorWebhooks(situation)
  const named = all.flatMap(({ webhook }) =>
    [webhook.namespaceSelector, webhook.objectSelector].flatMap((selector) =>
      (selector?.matchExpressions ?? [])
        .filter(({ key, operator }) => key === 'istio.io/rev' && operator === 'In')
        .flatMap(({ values = [] }) => values),
    ),
  )
  const byLabel = all.some(({ webhook }) => selects(webhook.namespaceSelector, { 'istio-injection': 'enabled' }))
  return [...new Set([...named, ...(byLabel ? ['default'] : [])])]
}

export interface Injection {
  readonly pod: PodView
  readonly namespace: Stored
  readonly answer: InjectionAnswer
  /** The webhook that would be called for such a pod now, by its selectors. */
  readonly webhook: InjectorWebhook | null
  readonly webhooksRead: boolean
}

/** Whether a pod like this would get a sidecar if it were made now. Null when its namespace was not read. */
export function injectionOf(situation: Situation, pod: PodView): Injection | null {
  const namespace = situation.store.get('Namespace', null, pod.namespace)
  if (!namespace) return null
  const namespaceLabels = namespace.object.metadata.labels ?? {}
  const webhooks = injectorWebhooks(situation)
  const webhook =
    webhooks.find(
      (one) =>
        selects(one.webhook.namespaceSelector, namespaceLabels) && selects(one.webhook.objectSelector, pod.labels),
    ) ?? null
  const answer = wouldBeInjected({
    namespace: pod.namespace,
    namespaceLabels,
    podLabels: pod.labels,
    podAnnotations: pod.annotations,
    hostNetwork: pod.object.spec?.hostNetwork === true,
    revisions: servedRevisions(situation),
    byDefault: webhooks.some(
      ({ webhook: one }) => selects(one.namespaceSelector, {}) && selects(one.objectSelector, {}),
    ),
  })
  return { pod, namespace, answer, webhook, webhooksRead: situation.has('mesh.webhooks') }
}

/** Pods whose missing sidecar is in question: the one that was named as caller, else the destination's, without a proxy. */
export function unproxiedPods({ client, server }: Situation): readonly PodView[] {
  const own = client.pods.length > 0 ? client.pods : server.pods
  const without = own.filter(({ proxy, phase }) => proxy === 'none' && phase !== 'Succeeded')
  if (without.length > 0 || client.pods.length === 0) return without
  return server.pods.filter(({ proxy, phase }) => proxy === 'none' && phase !== 'Succeeded')
}

/** The namespace's labels that injection looks at, as printed. */
export function injectionLabels({ metadata }: KubeObject): string {
  const keys = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode']
  const said = keys.flatMap((key) => (metadata.labels?.[key] === undefined ? [] : [`${key}=${metadata.labels[key]}`]))
  return said.join(' ') || 'none of istio-injection, istio.io/rev, istio.io/dataplane-mode'
}

/** Whether somebody decided about this namespace in favour of ambient: then a missing sidecar is no fault. */
export function isAmbient(situation: Situation, pod: PodView): boolean {
  const namespace = situation.store.get('Namespace', null, pod.namespace)
  return (
    pod.labels['istio.io/dataplane-mode'] === 'ambient' ||
    namespace?.object.metadata.labels?.['istio.io/dataplane-mode'] === 'ambient'
  )
}
