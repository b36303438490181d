import { UserError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import type { ArchiveContents, ArchivedObject, ArchivedObjects } from './archive-contents.ts'
import type { ArchiveFiles } from './archive-files.ts'
import {
  builtInKinds,
  groupOf,
  kindKey,
  kindOfDefinition,
  type ObjectKind,
  qualified,
  resolveKind,
} from './archive-kinds.ts'
import { readYaml, splitItems } from './kubectl-yaml.ts'

type ReadFile = () => Promise<string>

/** A folder of what somebody saved: `kubectl get … -o json` or yaml, config dumps, `clusters`, logs. Content tells what a file is; its name only where content cannot. */
export async function readObjectFolder(files: ArchiveFiles): Promise<ArchiveContents> {
  const objects: KubeObject[] = []
  const namedKinds = new Set<string>()
  const proxies = new Map<string, Map<string, ReadFile>>()
  const logs = new Map<string, ReadFile>()
  const unread: string[] = []

  for (const path of files.paths) {
    if (/\.log(\.txt)?$/.test(path)) {
      const owner = ownerOfLog(path)
      if (owner) logs.set(owner, () => files.read(path))
      else unread.push(path)
      continue
    }
    if (!/\.(json|ya?ml|txt)$|\/(clusters|listeners|stats|certs|server_info|config_dump[^/]*)$/.test(path)) continue
    const adminPath = adminPathOf(path)
    const text = await files.read(path)
    const json = /^\s*\{/.test(text) ? parse(text) : undefined
    if (isRecord(json) && Array.isArray(json.configs))
      add(proxies, proxyOfDump(json.configs) ?? proxyOfPath(path), 'config_dump', () => files.read(path))
    else if (adminPath && proxyOfPath(path)) add(proxies, proxyOfPath(path), adminPath, () => files.read(path))
    else {
      const found = json === undefined ? yamlObjects(text) : jsonObjects(json)
      if (!found) unread.push(path)
      else {
        objects.push(...found)
        const kind = resolveKind(builtInKinds, (path.split('/').at(-1) ?? '').replace(/\.(json|ya?ml)$/, ''))
        if (kind) namedKinds.add(qualified(kind))
      }
    }
  }
  if (objects.length === 0 && proxies.size === 0 && logs.size === 0)
    throw new UserError(
      'nothing in this folder can be read',
      'expected a bug report, or files saved with `kubectl get … -o json`, config dumps, logs',
      'input',
    )
  return {
    title: 'folder of saved files',
    objects: store(objects, namedKinds),
    proxies,
    log: async (namespace, pod, container) =>
      (logs.get(`${namespace}/${pod}/${container}`) ?? logs.get(`${namespace}/${pod}/`))?.(),
    logs: [...logs.keys()].map((owner) => {
      const [namespace = '', pod = '', container = ''] = owner.split('/')
      return { namespace, pod, container }
    }),
    syncz: [],
    notes: unread.length > 0 ? [`${unread.length} files are of no known kind: ${unread.slice(0, 5).join(', ')}`] : [],
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON after all; the caller says that the file could not be read.
    return null
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isObject = (value: unknown): value is KubeObject =>
  isRecord(value) &&
  typeof value.kind === 'string' &&
  isRecord(value.metadata) &&
  typeof value.metadata.name === 'string'

function jsonObjects(json: unknown): KubeObject[] | undefined {
  if (!isRecord(json)) return undefined
  if (Array.isArray(json.items) && typeof json.kind === 'string') return json.items.filter(isObject)
  return isObject(json) ? [json] : undefined
}

function yamlObjects(text: string): KubeObject[] | undefined {
  if (!/^(- )?(apiVersion|kind): /m.test(text)) return undefined
  try {
    return text
      .split(/^---.*$/m)
      .flatMap((document) => splitItems(document))
      .map(readYaml)
      .filter(isObject)
  } catch (error) {
    if (error instanceof Error && error.name === 'YamlError') return undefined
    throw error
  }
}

function store(objects: readonly KubeObject[], namedKinds: ReadonlySet<string>): ArchivedObjects {
  const byKind = new Map<string, ArchivedObject[]>()
  for (const object of objects) {
    const key = kindKey(object.kind, groupOf(object.apiVersion ?? ''))
    const { name, namespace = '' } = object.metadata
    const group = byKind.get(key) ?? []
    group.push({ name, namespace, read: () => object })
    byKind.set(key, group)
  }
  const definitions = objects
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .flatMap((one) => kindOfDefinition(one) ?? [])
  const seen = new Set(objects.map(({ metadata }) => metadata.namespace).filter((namespace) => namespace !== undefined))
  const namespaces = (byKind.get('Namespace.') ?? []).map(({ name }) => name)
  const isEverything = namespaces.length > 0 && namespaces.every((name) => seen.has(name))
  const of = ({ kind, group }: ObjectKind) => byKind.get(kindKey(kind, group)) ?? []
  return {
    kinds: [
      ...builtInKinds,
      ...definitions.filter((one) => !builtInKinds.some(({ kind, group }) => kind === one.kind && group === one.group)),
    ],
    // Nobody promised that all was saved.
    areKindsComplete: false,
    of,
    isRecorded: (kind, namespace) => {
      if (of(kind).length === 0 && !namedKinds.has(qualified(kind))) return false
      if (!kind.isNamespaced) return true
      return namespace === undefined ? isEverything : seen.has(namespace)
    },
  }
}

function add(
  proxies: Map<string, Map<string, ReadFile>>,
  proxy: string | undefined,
  path: string,
  read: ReadFile,
): void {
  if (proxy) proxies.set(proxy, (proxies.get(proxy) ?? new Map<string, ReadFile>()).set(path, read))
}

/** The dump says itself whose it is: `sidecar~10.1.2.3~web-1.shop~shop.svc.cluster.local`. */
function proxyOfDump(configs: readonly unknown[]): string | undefined {
  for (const config of configs) {
    const bootstrap = isRecord(config) && isRecord(config.bootstrap) ? config.bootstrap : undefined
    const id = isRecord(bootstrap?.node) ? bootstrap.node.id : undefined
    if (typeof id === 'string') return id.split('~')[2]
  }
  return undefined
}

/** `…/web-1.shop/clusters.txt`, `web-1.shop.clusters.txt`. */
function proxyOfPath(path: string): string | undefined {
  const name =
    /([a-z0-9-]+\.[a-z0-9-]+)(?:\/|[._-])(?:config_dump|clusters|listeners|stats|certs|server_info)[^/]*$/.exec(
      path,
    )?.[1]
  return name
}

function adminPathOf(path: string): string | undefined {
  const [, name, extension] = /(clusters|listeners|stats|certs|server_info)(?:\.(json|txt))?$/.exec(path) ?? []
  if (!name) return undefined
  return extension === 'json' && /^(clusters|listeners|stats)$/.test(name) ? `${name}?format=json` : name
}

/** `shop/web-1/istio-proxy.log`, `web-1_shop_istio-proxy-….log` as kubelets name them, `web-1.shop.log`. */
function ownerOfLog(path: string): string | undefined {
  const kubelet = /(?:^|\/)([a-z0-9.-]+)_([a-z0-9-]+)_([a-z0-9-]+?)(?:-[0-9a-f]{64})?\.log/.exec(path)
  if (kubelet) return `${kubelet[2]}/${kubelet[1]}/${kubelet[3]}`
  const folders = /(?:^|\/)([a-z0-9-]+)\/([a-z0-9.-]+)\/([a-z0-9-]+)\.log/.exec(path)
  if (folders) return `${folders[1]}/${folders[2]}/${folders[3]}`
  const dotted = /(?:^|\/)([a-z0-9-]+)\.([a-z0-9-]+)(?:\.([a-z0-9-]+))?\.log/.exec(path)
  return dotted ? `${dotted[2]}/${dotted[1]}/${dotted[3] ?? ''}` : undefined
}
