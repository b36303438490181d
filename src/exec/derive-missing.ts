import type { KubeObject } from '../model/kube.ts'
import type { ArchiveContents, ArchivedObjects } from './archive-contents.ts'
import { addServices, type KnownService, podOfNode, serviceObject } from './derived-objects.ts'

/** Dumps are large: so many are read for services, one of each namespace first. */
const mostDumps = 12

/**
 * Where an archive has proxies but no pods and services (newer bug reports with several `--include`, folders of dumps),
 * these are read from what the proxies know of themselves and of whom they may call. The kinds stay unrecorded: what is
 * not among them may exist all the same.
 */
export async function deriveMissing(contents: ArchiveContents): Promise<ArchiveContents> {
  const [podKind, serviceKind] = ['Pod', 'Service'].map((name) =>
    contents.objects.kinds.find(({ kind, group }) => kind === name && group === ''),
  )
  if (!podKind || !serviceKind || contents.proxies.size === 0) return contents
  const known = new Set(contents.objects.of(podKind).map(({ namespace, name }) => `${name}.${namespace}`))
  const unknown = [...contents.proxies.keys()].filter((proxy) => !known.has(proxy))
  if (unknown.length === 0) return contents

  const services = new Map<string, KnownService>()
  for (const proxy of oneOfEachNamespace([...contents.proxies.keys()]).slice(0, mostDumps)) {
    const dump = await readJson(contents.proxies.get(proxy)?.get('config_dump'))
    if (Array.isArray(dump.configs)) addServices(services, dump.configs)
  }
  const isHealthy = (address: string) => {
    const said = [...services.values()].flatMap(({ addresses }) => addresses.get(address) ?? [])
    return said.length === 0 ? undefined : said.includes(true)
  }
  const pods: KubeObject[] = []
  for (const proxy of unknown) {
    const files = contents.proxies.get(proxy)
    const node =
      (await readJson(files?.get('server_info'))).node ?? nodeOfDump(await readJson(files?.get('config_dump')))
    const pod = podOfNode(node, isHealthy)
    if (pod) pods.push(pod)
  }
  if (pods.length === 0) return contents
  const derived: Readonly<Record<string, readonly KubeObject[]>> = {
    Pod: pods,
    Service:
      contents.objects.of(serviceKind).length > 0
        ? []
        : [...services.values()].map((service) => serviceObject(service, pods)),
  }
  return {
    ...contents,
    objects: withDerived(contents.objects, derived),
    notes: [
      ...contents.notes,
      'it holds no Kubernetes objects of some pods: they, and services, are read from the proxies, as far as these know them',
    ],
  }
}

function withDerived(
  objects: ArchivedObjects,
  derived: Readonly<Record<string, readonly KubeObject[]>>,
): ArchivedObjects {
  return {
    ...objects,
    of: (kind) => {
      const more = kind.group === '' ? (derived[kind.kind] ?? []) : []
      return [
        ...objects.of(kind),
        ...more.map((object) => ({
          name: object.metadata.name,
          namespace: object.metadata.namespace ?? '',
          read: () => object,
        })),
      ]
    },
  }
}

function oneOfEachNamespace(proxies: readonly string[]): string[] {
  const seen = new Set<string>()
  const first = proxies.filter((proxy) => {
    const namespace = proxy.slice(proxy.lastIndexOf('.') + 1)
    return !seen.has(namespace) && seen.add(namespace)
  })
  return [...first, ...proxies.filter((proxy) => !first.includes(proxy))]
}

function nodeOfDump({ configs }: Readonly<Record<string, unknown>>): unknown {
  for (const config of Array.isArray(configs) ? configs : []) if (config?.bootstrap?.node) return config.bootstrap.node
  return undefined
}

async function readJson(read: (() => Promise<string>) | undefined): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = read === undefined ? {} : JSON.parse(await read())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    // A damaged dump costs what it would have told, and no more.
    return {}
  }
}
