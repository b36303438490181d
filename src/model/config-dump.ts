/**
 * What `istioctl proxy-config KIND -o json` prints, worked out from the `config_dump` it would have asked for, which is also
 * what `istioctl proxy-config all -o json` prints. Envoy writes field names as in its protos (snake_case), istioctl as protojson does (camelCase).
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

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

/** What the admin port's `config_dump` says, or undefined if it is none. */
export function readConfigDump(parsed: unknown): ConfigDump | undefined {
  const json = parsed as { configs?: unknown } | null
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
