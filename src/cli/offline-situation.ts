import { parse as parseYaml } from 'yaml'
import { type MeshConfig, readMeshConfig } from '../mesh/mesh-config.ts'
import type { Given } from '../model/call.ts'
import type { EvidenceEntry } from '../model/evidence.ts'
import type { KubeObject } from '../model/kube.ts'
import { nothingPasted } from '../situation/hints.ts'
import { type KubeRead, resourceFor } from '../situation/objects.ts'
import { type Situation, situate } from '../situation/situation.ts'

export interface OfflineOptions {
  readonly given: Given
  readonly objects: readonly KubeObject[]
  /** Labels of the destination's pods, where they were given outright. */
  readonly labels: Readonly<Record<string, string>> | null
  readonly dataPlane: 'sidecar' | 'ambient' | null
  readonly now: string
}

export interface OfflineSituation {
  readonly situation: Situation
  readonly assumptions: readonly string[]
  /** Names of pods that had to be made up, of which selectors may find more labels than are known. */
  readonly openLabels: ReadonlySet<string>
}

const kinds = [
  'Pod',
  'Service',
  'Namespace',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'PeerAuthentication',
  'DestinationRule',
  'VirtualService',
  'Gateway',
  'K8sGateway',
]

/** The joined view of a call over files instead of a cluster. What files do not say of the destination's pods is assumed, and said so. */
export function offlineSituation(options: OfflineOptions): OfflineSituation {
  const { given, objects, now } = options
  const assumptions: string[] = []
  const made = [...podsOfWorkloads(objects, options, assumptions)]
  let situation = viewOf([...objects, ...made], given, now)
  const openLabels = new Set<string>()
  if (situation.server.pods.length === 0 && given.to !== null) {
    const selector = selectorOf(situation)
    const labels = options.labels ?? selector ?? {}
    const namespace = situation.serverNamespace ?? 'default'
    const name = `${given.to.name}-assumed`
    const pod = podWith(name, namespace, labels, undefined, dataPlaneOf(namespace, objects, options, assumptions))
    if (options.labels === null) openLabels.add(name)
    situation = viewOf([...objects, ...made, pod], aimedAt(given, name, namespace, situation), now)
    if (options.labels === null)
      assumptions.push(
        selector
          ? `the destination's pods are not among the files; of their labels only those of its Service are known`
          : `the destination's pods are not among the files, and their labels are not known`,
      )
  }
  if (situation.meshEntry === null)
    assumptions.push(`Istio's defaults hold: root namespace ${situation.rootNamespace}, trust domain cluster.local`)
  return { situation, assumptions, openLabels }
}

/** Without a Service among the files the made-up pod itself is what is called. */
function aimedAt(given: Given, name: string, namespace: string, { server }: Situation): Given {
  if (server.service !== null || given.to === null) return given
  return { ...given, to: { ...given.to, kind: 'pod', name, namespace } }
}

function selectorOf({ server }: Situation): Readonly<Record<string, string>> | null {
  const selector: unknown = server.service?.object.spec?.selector
  return typeof selector === 'object' && selector !== null ? (selector as Record<string, string>) : null // a Service's selector
}

function viewOf(objects: readonly KubeObject[], given: Given, now: string): Situation {
  const read: KubeRead = {
    namespace: null,
    asked: kinds.map(resourceFor),
    items: objects,
    unreadable: [],
    partial: false,
  }
  const map = objects.find(
    ({ kind, metadata, data }) => kind === 'ConfigMap' && metadata.name.startsWith('istio') && data?.mesh,
  )
  const mesh =
    map && typeof map.data?.mesh === 'string'
      ? readMeshConfig(parseYaml(map.data.mesh), map.metadata.namespace ?? given.istioNamespace)
      : null
  return situationOver([read], mesh, given, now)
}

/** The joined view over lists of objects, wherever they were read. */
export function situationOver(
  reads: readonly KubeRead[],
  mesh: MeshConfig | null,
  given: Given,
  now: string,
): Situation {
  const entries = reads.map((read, index) => ({
    ...entry('server.config', 'config', read, now),
    id: `config ${index}`,
  }))
  if (mesh) entries.push(entry('mesh.meshConfig', 'meshConfig', mesh, now))
  return situate(entries, given, nothingPasted)
}

function entry(key: EvidenceEntry['key'], probe: string, data: unknown, at: string): EvidenceEntry {
  const role = key.startsWith('mesh') ? ('mesh' as const) : ('server' as const)
  return {
    id: key,
    key,
    role,
    probe,
    subject: 'files',
    namespace: null,
    name: null,
    command: { file: 'kubectl', args: [], timeoutMs: 0 },
    status: 'ok',
    data,
    reason: null,
    detail: null,
    unlock: null,
    at,
    durationMs: 0,
  }
}

/** Deployments and the like say what their pods will look like. */
function podsOfWorkloads(objects: readonly KubeObject[], options: OfflineOptions, assumptions: string[]): KubeObject[] {
  return objects.flatMap((object) => {
    if (!['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].includes(object.kind)) return []
    const template = object.spec?.template
    if (!template) return []
    const namespace = object.metadata.namespace ?? 'default'
    if (
      objects.some(
        ({ kind, metadata }) => kind === 'Pod' && metadata.namespace === namespace && fits(template, metadata.labels),
      )
    )
      return []
    const name = `${object.metadata.name}-assumed`
    const plane = dataPlaneOf(namespace, objects, options, assumptions)
    const pod = podWith(name, namespace, template.metadata?.labels ?? {}, template.spec, plane)
    return [
      {
        ...pod,
        metadata: {
          ...pod.metadata,
          ownerReferences: [{ kind: object.kind, name: object.metadata.name, controller: true }],
        },
      },
    ]
  })
}

function fits(
  template: { metadata?: { labels?: Record<string, string> } },
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const wanted = Object.entries(template.metadata?.labels ?? {})
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value)
}

/** From the namespace's labels where it is among the files. */
function dataPlaneOf(
  namespace: string,
  objects: readonly KubeObject[],
  { dataPlane }: OfflineOptions,
  assumptions: string[],
): 'sidecar' | 'ambient' | 'none' {
  if (dataPlane !== null) return dataPlane
  const labels = objects.find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === namespace)?.metadata
    .labels
  if (labels?.['istio.io/dataplane-mode'] === 'ambient') return 'ambient'
  const said = 'pods that are not among the files have a sidecar (--data-plane says otherwise)'
  if (!assumptions.includes(said)) assumptions.push(said)
  return 'sidecar'
}

function podWith(
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  // biome-ignore lint/suspicious/noExplicitAny: a pod's spec as it stands in a file
  spec: any,
  plane: 'sidecar' | 'ambient' | 'none',
): KubeObject {
  const containers = Array.isArray(spec?.containers) ? spec.containers : []
  const proxy = { name: 'istio-proxy', args: ['proxy', 'sidecar'] }
  const has = containers.some((container: { name?: string }) => container?.name === 'istio-proxy')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...(plane === 'sidecar' ? { 'security.istio.io/tlsMode': 'istio' } : {}) },
      annotations: plane === 'ambient' ? { 'ambient.istio.io/redirection': 'enabled' } : {},
    },
    spec: { ...spec, containers: plane === 'sidecar' && !has ? [...containers, proxy] : containers },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }
}
