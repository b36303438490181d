import type { KubeObject } from '../model/kube.ts'
import type { ArchiveContents, ArchivedObject, ArchivedObjects } from './archive-contents.ts'
import type { ArchiveFiles } from './archive-files.ts'
import { builtInKinds, groupOf, kindKey, kindOfDefinition, type ObjectKind } from './archive-kinds.ts'
import { readHead, readYaml, splitItems } from './kubectl-yaml.ts'

/** The folder in which a report's parts lie: `bug-report/`, nothing with `--dir`, or wherever somebody put it. */
export function findReport(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const match =
      /^(.*\/)?(?:cluster\/(?:k8s-resources|k8s-cluster-resources|crs)|bug-report\.log|proxies\/[^/]+\/[^/]+\/config_dump[^/]*)$/.exec(
        path,
      )
    if (match) return match[1] ?? ''
  }
  return undefined
}

/** Asked for in every report, so that none in a non-empty answer means none in the cluster. */
const alwaysAsked = new Set([
  'Pod.',
  'Service.',
  'ConfigMap.',
  'Endpoints.',
  'Deployment.apps',
  'DaemonSet.apps',
  'ReplicaSet.apps',
  'StatefulSet.apps',
  'Job.batch',
  'CronJob.batch',
  'HorizontalPodAutoscaler.autoscaling',
  'Ingress.networking.k8s.io',
])

/** `istioctl bug-report`, 1.20 to 1.31. */
export async function readBugReport(files: ArchiveFiles, root: string): Promise<ArchiveContents> {
  const inside = files.paths.filter((path) => path.startsWith(root)).map((path) => path.slice(root.length))
  const read = async (path: string) => (inside.includes(path) ? files.read(root + path) : '')
  const objects = await readObjects(read)
  const versions = readVersions(await read('versions'))
  const kubernetes = readKubernetes(await read('cluster/kubectl-version'))
  const [context] = (await read('cluster/cluster-context')).split('\n')
  const analyze = inside.filter((path) => /^analyze\/[^/]+\/[^/]+$/.test(path))
  return {
    title: `bug report${versions.client ? ` of istioctl ${versions.client}` : ''}`,
    objects,
    proxies: findProxies(inside, (path) => files.read(root + path)),
    log: async (namespace, pod, container) => {
      const path = [
        `proxies/${namespace}/${pod}/${container}.log`,
        `istio/${namespace}/${pod}/${container}.log`,
        `operator/${namespace}/${pod}/${container}.log`,
      ].find((one) => inside.includes(one))
      return path && read(path)
    },
    logs: inside.flatMap((path) => {
      const [, namespace = '', pod = '', container = ''] = /^proxies\/([^/]+)\/([^/]+)\/([^/]+)\.log$/.exec(path) ?? []
      return pod ? [{ namespace, pod, container }] : []
    }),
    ...(analyze.some((path) => path.startsWith('analyze/allNamespaces/')) && {
      analyze: async () => (await Promise.all(analyze.map(read))).join('\n'),
    }),
    syncz: inside.flatMap((path) => {
      const istiod = /^istio\/[^/]+\/([^/]+)\/debug\/syncz$/.exec(path)?.[1]
      return istiod ? [{ istiod, read: () => read(path) }] : []
    }),
    ...((versions.client || versions.controlPlane.length > 0) && { versions }),
    ...(kubernetes && { kubernetes }),
    ...(context && { context }),
    notes: files.isTruncated ? ['the archive is cut off: what came after its end is missing'] : [],
  }
}

/** Unpackers on Windows put something else in place of the `?`. */
function findProxies(paths: readonly string[], read: (path: string) => Promise<string>): ArchiveContents['proxies'] {
  const proxies = new Map<string, Map<string, () => Promise<string>>>()
  for (const path of paths) {
    const match =
      /^proxies\/([^/]+)\/([^/]+)\/(certs|clusters|config_dump[^/]*|listeners|memory|server_info|runtime|stats\/prometheus)$/.exec(
        path,
      )
    if (!match) continue
    const [, namespace, pod, name = ''] = match
    const proxy = `${pod}.${namespace}`
    const known = proxies.get(proxy) ?? new Map<string, () => Promise<string>>()
    proxies.set(
      proxy,
      known.set(name.replace(/^config_dump.*/, 'config_dump'), () => read(path)),
    )
  }
  return proxies
}

type Read = (path: string) => Promise<string>
interface Found extends ArchivedObject {
  readonly key: string
}

async function readObjects(read: Read): Promise<ArchivedObjects> {
  const [main, clusterWide, custom, istioPods, nodes] = await Promise.all(
    ['cluster/k8s-resources', 'cluster/k8s-cluster-resources', 'cluster/crs', 'cluster/pods', 'cluster/nodes'].map(
      async (path) => itemsOf(await read(path)),
    ),
  )
  const listed = [...(main ?? []), ...(custom ?? [])]
  const secrets = secretNames(await read('cluster/secrets'))
  const all = unique([...listed, ...(clusterWide ?? []), ...(istioPods ?? []), ...(nodes ?? []), ...secrets])
  const definitions = (all.get('CustomResourceDefinition.apiextensions.k8s.io') ?? []).flatMap(
    ({ read: readObject }) => kindOfDefinition(readObject()) ?? [],
  )
  const customKeys = new Set(definitions.map(({ kind, group }) => kindKey(kind, group)))
  const kinds = [...definitions, ...builtInKinds.filter(({ kind, group }) => !customKeys.has(kindKey(kind, group)))]

  // With --include, newer reports ask for some namespaces only (and with several of them, for one that does not exist).
  // Every namespace holds at least the cluster's root certificate: where nothing at all was found, nobody looked.
  const covered = new Set(listed.map(({ namespace }) => namespace).filter(Boolean))
  const namespaces = (all.get('Namespace.') ?? []).map(({ name }) => name)
  const isEverything = namespaces.length > 0 && namespaces.every((name) => covered.has(name))
  const istioNamespaces = new Set((istioPods ?? []).map(({ namespace }) => namespace))

  return {
    kinds:
      definitions.length > 0
        ? kinds.filter(({ group, kind }) => !isCustomGroup(group) || customKeys.has(kindKey(kind, group)))
        : kinds,
    areKindsComplete: definitions.length > 0,
    of: ({ kind, group }) => all.get(kindKey(kind, group)) ?? [],
    isRecorded: ({ kind, group, isNamespaced }: ObjectKind, namespace) => {
      const key = kindKey(kind, group)
      const count = all.get(key)?.length ?? 0
      if (!isNamespaced) return count > 0 || (customKeys.has(key) && isEverything)
      if (key === 'Pod.' && namespace !== undefined && istioNamespaces.has(namespace)) return true
      if (key === 'Secret.') return secrets.length > 0
      const wasLookedAt = namespace === undefined ? isEverything : covered.has(namespace)
      return wasLookedAt && (count > 0 || alwaysAsked.has(key) || customKeys.has(key))
    },
  }
}

const isCustomGroup = (group: string) => group.endsWith('istio.io') || group === 'gateway.networking.k8s.io'

function itemsOf(yaml: string): Found[] {
  return splitItems(yaml).flatMap((item) => {
    const { apiVersion, kind, name, namespace } = readHead(item)
    if (!kind || !name) return []
    let object: KubeObject | undefined
    return [
      {
        key: kindKey(kind, groupOf(apiVersion)),
        name,
        namespace,
        read: () => (object ??= readYaml(item) as KubeObject),
      },
    ]
  })
}

/** The same object may be in several parts of a report. */
function unique(items: readonly Found[]): Map<string, Found[]> {
  const seen = new Set<string>()
  const groups = new Map<string, Found[]>()
  for (const item of items) {
    const identity = `${item.key} ${item.namespace}/${item.name}`
    if (seen.has(identity)) continue
    seen.add(identity)
    const group = groups.get(item.key)
    if (group) group.push(item)
    else groups.set(item.key, [item])
  }
  return groups
}

/** A table, or YAML with --full-secrets; of both only the names are taken. */
function secretNames(text: string): Found[] {
  if (/^kind: List/m.test(text))
    return itemsOf(text)
      .filter(({ key }) => key === 'Secret.')
      .map(nameOnly)
  return text.split('\n').flatMap((row) => {
    const [namespace = '', name = '', ...more] = row.split(/\s+/)
    return namespace && name && more.length > 0 && namespace !== 'NAMESPACE' ? [nameOnly({ namespace, name })] : []
  })
}

const nameOnly = ({ name, namespace }: { name: string; namespace: string }): Found => ({
  key: 'Secret.',
  name,
  namespace,
  read: () => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } }),
})

/** Go's `%#v` of version structs. */
function readVersions(text: string) {
  const [, client] = /CLI version:\s*version\.BuildInfo\{Version:"([^"]+)"/.exec(text) ?? []
  const controlPlane = [
    ...text.matchAll(/Component:"pilot", Revision:"([^"]*)", Info:version\.BuildInfo\{Version:"([^"]+)"/g),
  ].map(([, revision = '', version = '']) => ({ revision, version }))
  return { ...(client && { client }), controlPlane }
}

function readKubernetes(text: string) {
  const version = (who: string) => new RegExp(`^${who} Version:.*?(v\\d+\\.\\d+[\\w.+-]*)`, 'm').exec(text)?.[1]
  const [client, server] = [version('Client'), version('Server')]
  return client || server ? { ...(client && { client }), ...(server && { server }) } : undefined
}
