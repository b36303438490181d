import { proxyConfigJson, readConfigDump } from '../model/config-dump.ts'
import type { ArchiveContents } from './archive-contents.ts'
import type { Answer, Flags } from './archive-kubectl.ts'
import { endpointsFromText } from './envoy-json.ts'

const flag = (flags: Flags, name: string) => flags.get(name)?.at(-1)
const printed = (stdout: string, stderr = '', code = 0): Answer => ({ code, stdout, stderr })
const asJson = (value: unknown) => `${JSON.stringify(value, null, 4)}\n`

const sections: Readonly<Record<string, string>> = {
  cluster: 'Clusters',
  listener: 'Listeners',
  route: 'Routes',
  eds: 'Endpoints',
  secret: 'Secrets',
  bootstrap: 'Bootstrap',
  ecds: 'Ecds',
}

/** `proxy-config KIND POD.NS -o json`, made from what the proxy's admin port said. */
export async function answerProxyConfig(
  contents: ArchiveContents,
  kind: string,
  words: readonly string[],
  flags: Flags,
): Promise<Answer> {
  const proxy = targetOf(words, flags)
  const files = proxy && contents.proxies.get(proxy)
  if (!files || flags.has('file') || (flag(flags, 'output') !== 'json' && kind !== 'bootstrap')) return undefined
  if (kind === 'endpoint') {
    const text = await (files.get('clusters') ?? files.get('clusters?format=json'))?.()
    if (text === undefined) return undefined
    return filtered(text.trimStart().startsWith('{') ? endpointsFromJson(text) : endpointsFromText(text), kind, flags)
  }
  const text = await files.get('config_dump')?.()
  if (text === undefined) return undefined
  if (kind === 'all') return printed(`${text}\n`)
  const dump = readConfigDump(JSON.parse(text))
  if (!dump || !(kind in sections)) return undefined
  const json = proxyConfigJson(dump, kind)
  if (json === undefined)
    return printed(
      '',
      `Error: config dump has no configuration type type.googleapis.com/envoy.admin.v3.${sections[kind]}ConfigDump\n`,
      1,
    )
  return filtered(json, kind, flags)
}

/** Envoy's own JSON of `clusters` has istioctl's fields in snake_case. */
function endpointsFromJson(text: string): unknown {
  const camel = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(camel)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        camel(inner),
      ]),
    )
  }
  const { cluster_statuses } = JSON.parse(text) as { cluster_statuses?: { host_statuses?: unknown[] }[] }
  return camel((cluster_statuses ?? []).filter(({ host_statuses }) => (host_statuses ?? []).length > 0))
}

function targetOf(words: readonly string[], flags: Flags): string | undefined {
  const name = (words[0] ?? '').replace(/^pods?\//, '')
  if (words.length !== 1 || name.includes('/')) return undefined
  return name.includes('.') ? name : `${name}.${flag(flags, 'namespace') ?? 'default'}`
}

interface Named {
  readonly name?: string
  readonly address?: { readonly socketAddress?: { readonly address?: string; readonly portValue?: number } } | undefined
  readonly hostStatuses?: readonly {
    readonly address?: Named['address']
    readonly healthStatus?: { readonly edsHealthStatus?: string }
  }[]
}

/** istioctl's filters. One that is not known here makes the answer unknown, never wrong. */
function filtered(json: unknown, kind: string, flags: Flags): Answer {
  const known: Readonly<Record<string, readonly string[]>> = {
    cluster: ['fqdn', 'port', 'subset', 'direction'],
    listener: ['port', 'address'],
    route: ['name'],
    endpoint: ['port', 'address', 'cluster', 'status'],
  }
  const used = [...flags.keys()].filter(
    (name) => !['namespace', 'output', 'istioNamespace', 'log_target', 'proxy-admin-port', 'verbose'].includes(name),
  )
  if (used.length === 0) return printed(asJson(json))
  if (!Array.isArray(json) || used.some((name) => !known[kind]?.includes(name))) return undefined
  const [name, port, address] = [flag(flags, 'name'), flag(flags, 'port'), flag(flags, 'address')]
  const parts = [flag(flags, 'fqdn'), flag(flags, 'subset'), flag(flags, 'direction')]
  const isAt = (one: Named) =>
    (!port || String(one.address?.socketAddress?.portValue) === port) &&
    (!address || one.address?.socketAddress?.address?.toLowerCase() === address.toLowerCase())
  const keep = (one: Named): boolean => {
    const itsName = one.name ?? ''
    if (kind === 'cluster')
      return parts.every((part) => !part || itsName.includes(part)) && (!port || itsName.includes(`|${port}|`))
    if (kind === 'route') return itsName === name
    if (kind === 'listener') return isAt(one)
    const status = flag(flags, 'status')?.toLowerCase()
    if ((flag(flags, 'cluster') ?? itsName).toLowerCase() !== itsName.toLowerCase()) return false
    return (one.hostStatuses ?? []).some(
      (host) => isAt(host) && (!status || (host.healthStatus?.edsHealthStatus ?? 'UNKNOWN').toLowerCase() === status),
    )
  }
  return printed(asJson((json as readonly Named[]).filter(keep)))
}

const line = /^(Error|Warning|Info) \[(\w+)\] \(([^)]*)\) (.*)$/

/** `analyze -o json` from the log format that a bug report keeps. Its scope was all namespaces. */
export async function answerAnalyze(
  { analyze }: ArchiveContents,
  words: readonly string[],
  flags: Flags,
): Promise<Answer> {
  if (
    !analyze ||
    words.length > 0 ||
    flag(flags, 'output') !== 'json' ||
    ['use-kube', 'suppress', 'analyzer', 'output-threshold'].some((name) => flags.has(name))
  )
    return undefined
  const isAll = flag(flags, 'all-namespaces') === 'true'
  const namespace = flag(flags, 'namespace') ?? 'default'
  const found = (await analyze()).split('\n').flatMap((text) => {
    const match = line.exec(text)
    if (!match) return []
    const [, level = '', code = '', where = '', message = ''] = match
    // `Kind ns/name file.yaml:3`: what follows the name is where it was read from.
    const [kind = '', name = '', ...reference] = where.split(' ')
    const itsNamespace = kind === 'Namespace' ? name : name.includes('/') ? name.split('/')[0] : undefined
    if (!isAll && itsNamespace !== undefined && itsNamespace !== namespace) return []
    return [
      {
        code,
        level,
        message,
        origin: `${kind} ${name}`,
        ...(reference.length > 0 && { reference: reference.join(' ') }),
      },
    ]
  })
  return printed(`${JSON.stringify(found, null, '\t')}\n`)
}

export function answerVersion({ versions }: ArchiveContents, flags: Flags): Answer {
  if (!versions || flag(flags, 'output') !== 'json') return undefined
  const { client, controlPlane } = versions
  const isLocal = flag(flags, 'remote') === 'false'
  const meshVersion = controlPlane.map(({ revision, version }) => ({
    Component: 'pilot',
    Revision: revision,
    Info: { version },
  }))
  return printed(
    asJson({
      ...(client && { clientVersion: { version: client } }),
      ...(!isLocal && meshVersion.length > 0 && { meshVersion }),
    }),
  )
}

/** ztunnel's own dump has the lists that `ztunnel-config KIND -o json` prints. */
export async function answerZtunnelConfig(
  contents: ArchiveContents,
  kind: string,
  words: readonly string[],
  flags: Flags,
): Promise<Answer> {
  const proxy = targetOf(words, flags)
  const text = proxy && (await contents.proxies.get(proxy)?.get('config_dump')?.())
  const key = { workload: 'workloads', service: 'services', policy: 'policies', certificate: 'certificates' }[kind]
  if (
    !text ||
    flag(flags, 'output') !== 'json' ||
    !key ||
    ['workload-namespace', 'address', 'node', 'file', 'service-namespace', 'policy-namespace', 'workload-node'].some(
      (name) => flags.has(name),
    )
  )
    return undefined
  const list = (JSON.parse(text) as Record<string, unknown>)[key]
  return Array.isArray(list) ? printed(asJson(list)) : undefined
}
