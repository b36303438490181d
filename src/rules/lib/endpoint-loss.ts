import { parseServiceHost } from '../../mesh/hosts.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Fix } from '../../model/finding.ts'
import { servicePorts } from '../../situation/ends.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { clusterIdOf, hasOtherClusters } from './clusters-of-mesh.ts'
import { refOf } from './front.ts'
import { editFix } from './make-hit.ts'
import { containersOf } from './pod-facts.ts'
import { plural } from './words.ts'

/** Why a Service has no endpoint that takes traffic. */
export interface EndpointLoss {
  readonly kind:
    | 'no-selector-match'
    | 'scaled-to-zero'
    | 'no-pods'
    | 'not-ready'
    | 'port-name'
    | 'no-selector'
    | 'no-service'
    | 'no-port'
  readonly text: string
  readonly quotes: readonly Quote[]
  readonly fix: Fix
}

/** Null when the objects say that there are ready endpoints, or when they could not be read. */
export function whyNoEndpoints(
  situation: Situation,
  host: string,
  port: number | null,
  labels: Readonly<Record<string, string>> = {},
): EndpointLoss | null {
  const { store } = situation
  const name = parseServiceHost(host)
  if (!name || store.readable('Service', name.namespace) !== 'yes') return null
  const service = store.get('Service', name.namespace, name.name)
  if (!service) return noService(situation, host, name.namespace)
  if (store.readable('Pod', name.namespace) !== 'yes') return null
  const selector: Readonly<Record<string, string>> = service.object.spec?.selector ?? {}
  if (Object.keys(selector).length === 0) return noSelector(situation, service)
  const selected = situation.pods.filter(
    (pod) => pod.namespace === name.namespace && matchesLabels(selector, pod.labels) && pod.phase !== 'Succeeded',
  )
  const pods = selected.filter((pod) => Object.keys(labels).length === 0 || matchesLabels(labels, pod.labels))
  if (pods.length === 0 && selected.length > 0) return null // the subset's labels, not the Service
  if (pods.length === 0) return nothingSelected(situation, service, selector)
  const ready = pods.filter((pod) => pod.ready && !pod.terminating)
  if (ready.length === 0) return notReady(situation, service, pods)
  const wanted = servicePorts(service.object, ready).find((one) => port === null || one.port === port)
  return wanted && typeof wanted.targetPort === 'string' && wanted.containerPort === null
    ? portName(service, wanted.targetPort, ready)
    : null
}

function text(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function label({ object }: Stored): string {
  return `Service ${object.metadata.namespace}/${object.metadata.name}`
}

function noService({ store }: Situation, host: string, namespace: string): EndpointLoss {
  const entry = store.entryFor('Service', namespace)
  return {
    kind: 'no-service',
    text: `there is no Service behind ${host}`,
    quotes: entry ? [quote(entry, `namespace ${namespace} has no such Service`)] : [],
    fix: {
      statement: `Correct the name that the route uses, or create the Service ${host}.`,
      commands: [`kubectl -n ${namespace} get services`],
      scope: `callers of ${host}`,
      risk: 'none while only reading',
      undo: 'nothing to undo',
    },
  }
}

function noSelector(situation: Situation, service: Stored): EndpointLoss | null {
  const slices = situation.store
    .list('EndpointSlice', service.object.metadata.namespace)
    .filter(({ object }) => object.metadata.labels?.['kubernetes.io/service-name'] === service.object.metadata.name)
  const ready = slices.some(({ object }) =>
    (object as unknown as { endpoints?: { conditions?: { ready?: boolean } }[] }).endpoints?.some(
      ({ conditions }) => conditions?.ready !== false,
    ),
  ) // an EndpointSlice keeps its endpoints at the top
  if (ready) return null
  return {
    kind: 'no-selector',
    text: `${label(service)} has no selector, and nobody wrote endpoints for it`,
    quotes: [quoteObject(service, 'no selector', service.object.spec)],
    fix: editFix(
      refOf(service),
      `Give ${label(service)} a selector that fits its pods, or write an EndpointSlice for it; keep its ports.`,
      `every caller of ${label(service)}`,
      'a selector that fits other pods sends traffic to them',
    ),
  }
}

function nothingSelected(
  situation: Situation,
  service: Stored,
  selector: Readonly<Record<string, string>>,
): EndpointLoss {
  const { store } = situation
  const namespace = service.object.metadata.namespace ?? ''
  const workloads = store
    .list('Deployment', namespace)
    .filter(({ object }) => matchesLabels(selector, object.spec?.template?.metadata?.labels ?? {}))
  const empty = workloads.find(({ object }) => object.spec?.replicas === 0)
  if (empty) {
    const { name } = empty.object.metadata
    return {
      kind: 'scaled-to-zero',
      text: `Deployment ${namespace}/${name}, which ${label(service)} selects, is scaled to 0`,
      quotes: [
        quoteObject(empty, 'no replica is wanted', { replicas: 0 }),
        quoteObject(service, 'whom it selects', { selector }),
      ],
      fix: {
        statement: `Scale Deployment ${namespace}/${name} up, if it is meant to run.`,
        commands: [`kubectl -n ${namespace} scale deployment ${name} --replicas=1`],
        scope: `Deployment ${namespace}/${name}`,
        risk: 'somebody may have stopped it on purpose',
        undo: `kubectl -n ${namespace} scale deployment ${name} --replicas=0`,
      },
    }
  }
  const [wanted] = workloads
  if (wanted) return podsMissing(situation, service, wanted)
  const entry = store.entryFor('Pod', namespace) ?? service.entry
  return {
    kind: 'no-selector-match',
    text: `the selector ${text(selector)} of ${label(service)} fits no pod`,
    quotes: [
      quoteObject(service, 'whom the Service selects', { selector }),
      quote(entry, `no pod in ${namespace} carries ${text(selector)}`, podLabels(store.list('Pod', namespace))),
    ],
    fix: editFix(
      refOf(service),
      `Correct spec.selector of ${label(service)} so that it fits the labels of its pods; keep its ports.${
        hasOtherClusters(situation, situation.client.pod ? clusterIdOf(situation.client.pod) : null)
          ? ' If its pods live in another cluster, the Service is right: istioctl remote-clusters says whether istiod reads that cluster.'
          : ''
      }`,
      `every caller of ${label(service)}`,
      'a selector that fits other pods sends traffic to them',
    ),
  }
}

/** The selector fits what the Deployment would make, and its pods are not there: somebody keeps them from being created. */
function podsMissing({ events, store }: Situation, service: Stored, workload: Stored): EndpointLoss {
  const { name, namespace = '' } = workload.object.metadata
  const own = new RegExp(`^${escaped(name)}-[a-z0-9]{5,10}$`)
  const event = events.findLast(
    ({ reason, object }) => reason === 'FailedCreate' && object.namespace === namespace && own.test(object.name),
  )
  const conditions: readonly { type?: string; status?: string; message?: string }[] =
    workload.object.status?.conditions ?? []
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  const said = event?.message ?? failure?.message ?? null
  const entry = store.entryFor('Pod', namespace) ?? service.entry
  return {
    kind: 'no-pods',
    text: `Deployment ${namespace}/${name}, which ${label(service)} selects, has no pod${said ? ': none could be created' : ''}`,
    quotes: [
      quoteObject(workload, 'how many pods are wanted and there', {
        replicas: workload.object.spec?.replicas ?? 1,
        status: { replicas: workload.object.status?.replicas ?? 0, conditions: failure ? [failure] : [] },
      }),
      quote(entry, `no pod in ${namespace} is of ${name}`),
      ...(event ? [quote(event.entry, 'why no pod could be created', event.message)] : []),
    ],
    fix: {
      statement: `Find out why no pod of Deployment ${namespace}/${name} is created${said ? ', which the message says,' : ''} and repair that; leave the Service as it is.`,
      commands: [`kubectl -n ${namespace} get events --field-selector reason=FailedCreate`],
      scope: `Deployment ${namespace}/${name}`,
      risk: 'none while only reading',
      undo: 'nothing to undo',
    },
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function podLabels(pods: readonly Stored[]): string {
  return pods.map(({ object }) => `${object.metadata.name}: ${text(object.metadata.labels ?? {})}`).join('; ')
}

function notReady(situation: Situation, service: Stored, pods: readonly PodView[]): EndpointLoss {
  const [first] = pods
  const said = pods.map((pod) => `${pod.name}: ${whyNotReady(pod)}`).join('; ')
  const probes = situation.events
    .filter(({ reason, object }) => reason === 'Unhealthy' && pods.some(({ name }) => name === object.name))
    .slice(-1)
  return {
    kind: 'not-ready',
    text: `${label(service)} selects ${plural(pods.length, 'pod')}, and none of them is ready`,
    quotes: [
      quote(first?.entry ?? service.entry, 'none of the selected pods is ready', said),
      ...probes.map((event) => quote(event.entry, 'the kubelet says why', event.message)),
    ],
    fix: {
      statement: `Find out why ${first?.name ?? 'the pod'} is not ready (${first ? whyNotReady(first) : 'its conditions'}) and repair that; the mesh does what the readiness says.`,
      commands: first ? [`kubectl -n ${first.namespace} describe pod ${first.name}`] : [],
      scope: `pods of ${label(service)}`,
      risk: 'removing the readiness probe would send requests to an application that says it cannot take them',
      undo: 'nothing to undo',
    },
  }
}

function whyNotReady(pod: PodView): string {
  if (pod.terminating) return 'being deleted'
  const waiting = containersOf(pod).flatMap(({ name, status }) => {
    const state = status?.state ?? {}
    if (state.waiting) return [`container ${name} waits: ${state.waiting.reason ?? 'unknown'}`]
    if (state.terminated && !status?.ready)
      return [`container ${name} ended: ${state.terminated.reason ?? state.terminated.exitCode}`]
    return status && status.ready === false && state.running ? [`container ${name} runs and is not ready`] : []
  })
  if (waiting.length > 0) return waiting.join(', ')
  const conditions: readonly { type: string; status: string; reason?: string; message?: string }[] =
    pod.object.status?.conditions ?? []
  const open = conditions.find(({ type, status }) => (type === 'Ready' || type === 'PodScheduled') && status !== 'True')
  return open ? `${open.reason ?? open.type}${open.message ? `, ${open.message}` : ''}` : `phase ${pod.phase}`
}

/** ztunnel takes a port that the Service does not list for a Service without anybody behind it. */
export function noSuchPort({ server }: Situation, port: number): EndpointLoss | null {
  const { service, ports } = server
  if (!service || ports.length === 0 || ports.some((one) => one.port === port)) return null
  const listed = ports.map((one) => one.port).join(', ')
  return {
    kind: 'no-port',
    text: `${label(service)} has no port ${port}, it lists ${listed}`,
    quotes: [quoteObject(service, 'the ports it lists', service.object.spec?.ports)],
    fix: {
      statement: `Let the caller use port ${listed} of ${label(service)}, or add port ${port} to it; leave its other ports as they are.`,
      commands: [
        `kubectl -n ${service.object.metadata.namespace ?? ''} get services ${service.object.metadata.name} -o yaml`,
      ],
      scope: `callers that use port ${port}`,
      risk: 'none for callers of its other ports',
      undo: 'nothing to undo',
    },
  }
}

function portName(service: Stored, targetPort: string, pods: readonly PodView[]): EndpointLoss {
  const declared = pods.flatMap(({ ports }) => ports.map(({ name, port }) => `${name ?? 'no name'} ${port}`))
  return {
    kind: 'port-name',
    text: `the targetPort ${targetPort} of ${label(service)} names a port that no container declares`,
    quotes: [
      quoteObject(service, 'which port it wants', { ports: service.object.spec?.ports }),
      ...pods
        .slice(0, 1)
        .map((pod) => quote(pod.entry, `ports of ${pod.name}`, declared.join(', ') || 'none declared')),
    ],
    fix: editFix(
      refOf(service),
      `Correct targetPort of ${label(service)} to the name or number of the container's port; keep its selector.`,
      `every caller of ${label(service)}`,
      'a wrong number sends requests to a port where nothing listens',
    ),
  }
}
