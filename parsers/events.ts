import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import type { KubeObject } from '../src/model/kube.ts'
import { defineParser } from '../src/model/parser.ts'
import kubeList from './kube-list.ts'
import { isObject, numberOrNull, objectIn, stringOrNull } from './lib/kubectl-json.ts'

const KubeEvent = z.object({
  type: z.string(),
  reason: z.string(),
  message: z.string(),
  object: z.object({ kind: z.string(), namespace: z.string().nullable(), name: z.string() }),
  count: z.number(),
  firstSeen: z.string().nullable(),
  lastSeen: z.string().nullable(),
  reporter: z.string().nullable(),
})
export type KubeEvent = z.infer<typeof KubeEvent>

/** `kubectl get events -o json`, oldest first. Two API groups name the same facts differently; both are read. */
export default defineParser({
  name: 'events',
  schema: z.array(KubeEvent),
  parse(text): KubeEvent[] {
    const { items, errors } = kubeList.parse(text)
    if (errors.length > 0) throw new ParseError(`events: ${errors[0]}`)
    const stranger = items.find(({ kind }) => kind !== 'Event')
    if (stranger) throw new ParseError(`events: a ${stranger.kind} where an Event was expected`)
    return items.map(readEvent).sort(byLastSeen)
  },
})

// RFC 3339 in UTC sorts as text; events of one second keep the server's order.
function byLastSeen(a: KubeEvent, b: KubeEvent): number {
  const [first, second] = [a.lastSeen ?? '', b.lastSeen ?? '']
  return first === second ? 0 : first < second ? -1 : 1
}

function readEvent(event: KubeObject): KubeEvent {
  const about = objectIn(event.involvedObject ?? event.regarding)
  const series = objectIn(event.series)
  const source = objectIn(event.source ?? event.deprecatedSource)
  const time = stringOrNull(event.eventTime) ?? event.metadata.creationTimestamp ?? null
  return {
    type: stringOrNull(event.type) ?? 'Normal',
    reason: stringOrNull(event.reason) ?? '',
    message: stringOrNull(event.message) ?? stringOrNull(event.note) ?? '',
    object: {
      kind: stringOrNull(about.kind) ?? '',
      namespace: stringOrNull(about.namespace),
      name: stringOrNull(about.name) ?? '',
    },
    count: numberOrNull(isObject(event.series) ? series.count : (event.count ?? event.deprecatedCount)) ?? 1,
    firstSeen: stringOrNull(event.firstTimestamp) ?? stringOrNull(event.deprecatedFirstTimestamp) ?? time,
    lastSeen:
      stringOrNull(series.lastObservedTime) ??
      stringOrNull(event.lastTimestamp) ??
      stringOrNull(event.deprecatedLastTimestamp) ??
      time,
    reporter:
      stringOrNull(event.reportingComponent) ??
      stringOrNull(event.reportingController) ??
      stringOrNull(source.component),
  }
}
