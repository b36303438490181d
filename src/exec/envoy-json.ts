/**
 * What `istioctl proxy-config KIND -o json` prints, worked out from the `config_dump` it would have asked for. Envoy
 * writes field names as in its protos (snake_case), istioctl as protojson does (camelCase).
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

/** Maps whose keys are data: names of filters, of policies, of metadata. Their values are messages again. */
const mapsOfMessages = new Set([
  'typed_per_filter_config',
  'per_filter_config',
  'typed_extension_protocol_options',
  'extension_protocol_options',
  'typed_filter_metadata',
  'policies',
  'typed_dns_resolver_config_map',
  'providers',
  'requirement_map',
  'named_endpoints',
  'configs_by_name',
  'typed_config_map',
])
/** Free-form content (google.protobuf.Struct and maps of scalars): nothing inside is a field's name. */
const opaque = new Set([
  'filter_metadata',
  'metadata_map',
  'json_format',
  'labels',
  'annotations',
  'headers_with_underscores',
  'runtime_values',
  'static_layer',
  'string_map',
  'http_headers_to_metadata',
])
const structTypes = /google\.protobuf\.Struct$/

export function toCamel(value: Json): Json {
  if (Array.isArray(value)) return value.map(toCamel)
  if (value === null || typeof value !== 'object') return value
  const object = value as JsonObject
  const type = object['@type']
  if (typeof type === 'string' && structTypes.test(type)) return object
  // A TypedStruct's content is a Struct, whatever message it describes.
  const isTypedStruct = typeof type === 'string' && type.endsWith('TypedStruct')
  return Object.fromEntries(
    Object.entries(object).map(([key, inner]) => {
      if (opaque.has(key) || (isTypedStruct && key === 'value')) return [camel(key), inner]
      if (mapsOfMessages.has(key) && inner !== null && typeof inner === 'object' && !Array.isArray(inner))
        return [
          camel(key),
          Object.fromEntries(Object.entries(inner).map(([name, message]) => [name, toCamel(message)])),
        ]
      return [key.startsWith('@') ? key : camel(key), toCamel(inner)]
    }),
  )
}

const camel = (key: string) => key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export interface ConfigDump {
  readonly configs: readonly JsonObject[]
}

/** Text of the admin port's `config_dump`, or undefined if it is none. */
export function readConfigDump(text: string): ConfigDump | undefined {
  const json = JSON.parse(text) as { configs?: unknown } | null
  return Array.isArray(json?.configs) ? { configs: json.configs as readonly JsonObject[] } : undefined
}

const section = ({ configs }: ConfigDump, name: string) =>
  configs.find((config) => String(config['@type']).endsWith(`admin.v3.${name}ConfigDump`))
const listOf = (object: Json | undefined, key: string): readonly JsonObject[] => {
  const list = (object as JsonObject | undefined)?.[key]
  return Array.isArray(list) ? (list as readonly JsonObject[]) : []
}
const present = (value: Json | undefined): value is Json => value !== undefined && value !== null

/** The dump wraps each in an Any; istioctl prints the message itself. */
const element = (message: Json): Json => {
  const { '@type': _type, ...fields } = toCamel(message) as JsonObject
  return fields
}

/** What each kind shows: active and static entries only, as istioctl does. undefined: the dump has no such section. */
export function proxyConfigJson(dump: ConfigDump, kind: string): Json | undefined {
  switch (kind) {
    case 'cluster': {
      const clusters = section(dump, 'Clusters')
      return (
        clusters &&
        [...listOf(clusters, 'static_clusters'), ...listOf(clusters, 'dynamic_active_clusters')]
          .map(({ cluster }) => cluster)
          .filter(present)
          .map(element)
      )
    }
    case 'listener': {
      const listeners = section(dump, 'Listeners')
      if (!listeners) return undefined
      const active = listOf(listeners, 'dynamic_listeners').map(
        ({ active_state }) => (active_state as JsonObject | undefined)?.listener,
      )
      const fixed = listOf(listeners, 'static_listeners').map(({ listener }) => listener)
      return [...active, ...fixed].filter(present).map(element)
    }
    case 'route': {
      const routes = section(dump, 'Routes')
      return (
        routes &&
        [...listOf(routes, 'static_route_configs'), ...listOf(routes, 'dynamic_route_configs')]
          .map(({ route_config }) => route_config)
          .filter(present)
          .map(element)
      )
    }
    case 'eds': {
      const endpoints = section(dump, 'Endpoints')
      return (
        endpoints &&
        [...listOf(endpoints, 'static_endpoint_configs'), ...listOf(endpoints, 'dynamic_endpoint_configs')]
          .map(({ endpoint_config }) => endpoint_config)
          .filter((config) => present(config) && listOf(config, 'endpoints').length > 0)
          .map((config) => element(config as Json))
      )
    }
    case 'secret':
    case 'bootstrap':
    case 'ecds': {
      const found = section(dump, { secret: 'Secrets', bootstrap: 'Bootstrap', ecds: 'Ecds' }[kind])
      if (!found) return undefined
      const { lastUpdated, ...rest } = element(found) as JsonObject
      return kind === 'bootstrap' || lastUpdated === undefined ? rest : { ...rest, lastUpdated }
    }
    default:
      return undefined
  }
}

const healthFlags: Readonly<
  Record<
    string,
    {
      readonly edsHealthStatus?: string
      readonly failedOutlierCheck?: boolean
      readonly failedActiveHealthCheck?: boolean
    }
  >
> = {
  '/failed_active_hc': { failedActiveHealthCheck: true },
  '/failed_outlier_check': { failedOutlierCheck: true },
  '/failed_eds_health': { edsHealthStatus: 'UNHEALTHY' },
  '/degraded_eds_health': { edsHealthStatus: 'DEGRADED' },
  '/eds_status_draining': { edsHealthStatus: 'DRAINING' },
}

/**
 * `proxy-config endpoint -o json` from Envoy's text form of `clusters`, which is what a bug report holds: a line for each
 * fact about a cluster or one of its hosts.
 */
export function endpointsFromText(text: string): Json {
  interface Host {
    readonly address: string
    health: string
    weight: number
    readonly locality: Record<string, string>
  }
  const clusters = new Map<string, { hosts: Map<string, Host>; isAddedByApi: boolean }>()
  for (const line of text.split('\n')) {
    const [name, second, third, ...rest] = line.split('::')
    if (!name || second === undefined || third === undefined) continue
    const cluster = clusters.get(name) ?? { hosts: new Map<string, Host>(), isAddedByApi: false }
    clusters.set(name, cluster)
    if (second === 'added_via_api') cluster.isAddedByApi = third === 'true'
    // An IPv6 address holds `::` itself; a host's lines end in `…::FACT::VALUE`.
    const fact = [third, ...rest].at(-2)
    const address = [second, third, ...rest].slice(0, -2).join('::')
    if (!isHost(address)) continue
    const host = cluster.hosts.get(address) ?? { address, health: 'healthy', weight: 1, locality: {} }
    cluster.hosts.set(address, host)
    if (fact === 'health_flags') host.health = rest.at(-1) ?? third
    if (fact === 'weight') host.weight = Number(rest.at(-1))
    const part = { region: 'region', zone: 'zone', sub_zone: 'subZone' }[fact ?? '']
    if (part && rest.at(-1)) host.locality[part] = rest.at(-1) ?? ''
  }
  // A cluster without hosts is not shown: that looks like one that is not there, here as in istioctl.
  return [...clusters]
    .filter(([, { hosts }]) => hosts.size > 0)
    .map(([name, { hosts, isAddedByApi }]) => ({
      name,
      ...(isAddedByApi && { addedViaApi: true }),
      hostStatuses: [...hosts.values()].map(({ address, health, weight, locality }) => ({
        address: addressOf(address),
        healthStatus: healthOf(health),
        weight,
        locality,
      })),
    }))
}

const isHost = (text: string) =>
  /^(?:[\d.]+|\[[\da-f:.]+\]):\d+$/i.test(text) || /^(?:envoy|unix):\/\//.test(text) || /^(?:\.?\/)[\w./-]+$/.test(text)

function addressOf(text: string): Json {
  const socket = /^\[?([\da-f:.]+?)\]?:(\d+)$/i.exec(text)
  if (socket) return { socketAddress: { address: socket[1] ?? '', portValue: Number(socket[2]) } }
  const internal = /^envoy:\/\/([^/]*)\/(.*)$/.exec(text)
  if (internal)
    return {
      envoyInternalAddress: { serverListenerName: internal[1] ?? '', ...(internal[2] && { endpointId: internal[2] }) },
    }
  return { pipe: { path: text.replace(/^unix:\/\//, '') } }
}

function healthOf(flags: string): Json {
  if (flags === 'healthy') return { edsHealthStatus: 'HEALTHY' }
  const found = flags.split(/(?=\/)/).map((flag) => healthFlags[flag] ?? {})
  const merged = Object.assign({}, ...found) as JsonObject
  return { ...(merged.edsHealthStatus === undefined && { edsHealthStatus: 'HEALTHY' }), ...merged }
}
