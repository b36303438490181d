import { type Edit, editJson } from './session-fixtures.ts'

const listings = / get (?:pods,|namespaces |mutatingwebhook)/

/** Changes objects of one kind and name wherever they were listed. */
export function change(kind: string, name: RegExp, how: (object: any) => void): Edit {
  return editJson(listings, (list) => {
    for (const object of list.items) if (object.kind === kind && name.test(object.metadata.name)) how(object)
    return list
  })
}

/** Takes objects out of the listings. */
export function without(kind: string, name = /./): Edit {
  return editJson(listings, (list) => ({
    ...list,
    items: list.items.filter((object: any) => object.kind !== kind || !name.test(object.metadata.name)),
  }))
}

/** Adds an object to the listing of its namespace. */
export function add(object: any): Edit {
  return editJson(new RegExp(` get pods,.* -n ${object.metadata.namespace} `), (list) => ({
    ...list,
    items: [...list.items, object],
  }))
}

/** Adds an event as the kubelet or a controller writes it. */
export function addEvent(
  namespace: string,
  about: { kind: string; name: string },
  event: { reason: string; message: string; type?: string; time?: string },
): Edit {
  const time = event.time ?? '2026-11-21T05:40:00Z'
  return editJson(new RegExp(` get events -n ${namespace} `), (list) => ({
    ...list,
    items: [
      ...(list.items ?? []),
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${about.name}.1`, namespace, creationTimestamp: time },
        involvedObject: { kind: about.kind, name: about.name, namespace },
        reason: event.reason,
        message: event.message,
        type: event.type ?? 'Warning',
        count: 3,
        firstTimestamp: time,
        lastTimestamp: time,
        source: { component: 'kubelet' },
      },
    ],
  }))
}

export function statusOf(pod: any, container: string): any {
  const found = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])].find(
    ({ name }: any) => name === container,
  )
  if (found) return found
  const made = { name: container, restartCount: 0, ready: false, state: {} }
  pod.status.containerStatuses = [...(pod.status.containerStatuses ?? []), made]
  return made
}

export function notReady(pod: any): void {
  for (const condition of pod.status.conditions ?? []) if (condition.type === 'Ready') condition.status = 'False'
}
