import type { KubeEvent } from '../../../parsers/events.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Hit } from '../../model/finding.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'

export type StoredEvent = KubeEvent & { readonly entry: string }

export interface FailedCreation {
  readonly event: StoredEvent
  /** Whose pods could not be made; null: somebody else's in the same namespace. */
  readonly end: 'client' | 'server' | null
}

const injector = /failed calling webhook "[^"]*sidecar-injector\.istio\.io"/

/** Pods that could not be created because the injection webhook failed, the latest first. */
export function failedInjections(
  situation: Situation,
  reason: (message: string) => boolean,
): readonly FailedCreation[] {
  return failedCreations(situation, (message) => injector.test(message) && reason(message))
}

/** Pods that the API server refused to create, the latest first. */
export function failedCreations(
  situation: Situation,
  because: (message: string) => boolean,
): readonly FailedCreation[] {
  return situation.events
    .filter(({ message }) => because(message))
    .map((event) => ({ event, end: endOf(situation, event) }))
    .reverse()
}

/** The end of the call whose workload the event names: ReplicaSet `web-5d4f7c9b8d` belongs to `web`, `web-report-…` does not. */
function endOf(situation: Situation, { object }: StoredEvent): FailedCreation['end'] {
  const { client, server, given, store } = situation
  const belongs = (name: string | undefined) =>
    name !== undefined &&
    (object.name === name ||
      (object.name.startsWith(`${name}-`) && /^[a-z0-9]+$/.test(object.name.slice(name.length + 1))))
  const clientNames = [given.from?.name, ...client.pods.map(({ workload }) => workload?.name)]
  if (object.namespace === situation.clientNamespace && clientNames.some(belongs)) return 'client'
  if (object.namespace !== situation.serverNamespace) return null
  const selector = server.service?.object.spec?.selector
  const deployments = store
    .list('Deployment', situation.serverNamespace ?? undefined)
    .filter(({ object: one }) => matchesLabels(selector, one.spec?.template?.metadata?.labels ?? {}))
  const names = [
    ...(given.to && given.to.kind !== 'svc' ? [given.to.name] : []),
    ...server.pods.map(({ workload }) => workload?.name),
    ...deployments.map(({ object: one }) => one.metadata.name),
  ]
  return names.some(belongs) ? 'server' : null
}

/** What a failed creation explains: a missing sidecar that was asked for, or a destination without any ready pod. */
export function aboutCreation({ symptom, server }: Situation, { end }: FailedCreation): Hit['about'] {
  if (symptom === 'not-injected') return end === null ? 'aside' : 'call'
  return end === 'server' && !server.pods.some(({ ready }) => ready) ? 'call' : 'aside'
}

export function quoteEvent({ entry, reason, message, object, count }: StoredEvent, statement: string): Quote {
  return quote(entry, statement, `${reason} ${object.kind}/${object.name} (${count}×): ${message}`)
}
