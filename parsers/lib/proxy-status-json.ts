import { ParseError } from '../../src/model/errors.ts'
import { asFields, asList, type Fields, otherFields, reportedVersion, splitProxyName, textOf } from './fields.ts'
import { readJsonDocuments } from './json-stream.ts'
import { type ProxyStatus, type ProxySync, stateOf, type TypeSync } from './sync-state.ts'
import { freeName, xdsTypeName } from './xds-types.ts'

/** One xDS response per istiod. A response without proxies has no `resources`. */
export function proxyStatusOfJson(text: string): ProxyStatus {
  const { documents, logLines } = readJsonDocuments(text)
  const proxies = documents.flatMap((document) => {
    const response = asFields(document, 'the response of an istiod')
    refuseOtherJson(response)
    const istiod = istiodOf(response.controlPlane)
    return asList(response.resources, 'resources').map((resource) => proxyOf(asFields(resource, 'a resource'), istiod))
  })
  return { statesShown: true, proxies, logLines: [...logLines] }
}

const responseKeys = ['versionInfo', 'resources', 'typeUrl', 'nonce', 'controlPlane', 'resourceErrors']

// `{}` is a mesh without proxies; an object of other keys is the output of another command.
function refuseOtherJson(response: Fields): void {
  const keys = Object.keys(response)
  if (keys.length > 0 && !keys.some((key) => responseKeys.includes(key)))
    throw new ParseError(`JSON with ${keys.slice(0, 3).join(', ')} is no proxy status`)
}

function istiodOf(controlPlane: unknown): string | null {
  if (typeof controlPlane !== 'object' || controlPlane === null) return null
  const identifier = textOf((controlPlane as Fields).identifier)
  if (identifier === null) return null
  try {
    const { ID } = asFields(JSON.parse(identifier), 'the identifier')
    return textOf(ID) ?? identifier
  } catch {
    // The identifier is JSON by convention only; any other text still tells the istiods apart.
    return identifier
  }
}

function proxyOf(resource: Fields, istiod: string | null): ProxySync {
  const node = asFields(resource.node, 'the node of a proxy')
  const metadata = node.metadata === undefined ? {} : asFields(node.metadata, 'the metadata of a proxy')
  const proxy = textOf(node.id)
  if (proxy === null) throw new ParseError('a proxy without id')
  const types: Record<string, TypeSync> = {}
  for (const entry of asList(resource.genericXdsConfigs, 'genericXdsConfigs')) {
    const config = asFields(entry, 'an xDS config')
    types[freeName(xdsTypeName(textOf(config.typeUrl) ?? 'unnamed'), types)] = typeSync(config)
  }
  for (const entry of asList(resource.xdsConfig, 'xdsConfig')) {
    const config = asFields(entry, 'an xDS config')
    const kind = Object.keys(config).find((key) => Object.hasOwn(oldKinds, key))
    types[freeName(kind === undefined ? 'unnamed' : oldKinds[kind]!, types)] = typeSync({
      configStatus: config.status,
    })
  }
  const fromId = splitProxyName(proxy)
  return {
    proxy,
    name: fromId.name,
    namespace: fromId.namespace ?? textOf(metadata.NAMESPACE),
    cluster: textOf(metadata.CLUSTER_ID),
    istiod,
    version: reportedVersion(metadata.ISTIO_VERSION),
    proxyType: null,
    types,
    subscribedTypes: Object.keys(types),
    statesShown: true,
    extra: otherFields(resource, ['@type', 'node', 'genericXdsConfigs', 'xdsConfig']),
  }
}

/** How istiods up to about 1.21 named a type: by the key that holds its config. */
const oldKinds: Readonly<Record<string, string>> = {
  clusterConfig: 'CDS',
  listenerConfig: 'LDS',
  routeConfig: 'RDS',
  scopedRouteConfig: 'SRDS',
  endpointConfig: 'EDS',
}

function typeSync(config: Fields): TypeSync {
  const raw = textOf(config.configStatus) ?? ''
  const lastUpdated = textOf(config.lastUpdated)
  const rejected = config.errorState === undefined ? null : asFields(config.errorState, 'errorState')
  const detail = rejected === null ? null : textOf(rejected.details)
  return {
    state: stateOf(raw),
    // Go's zero time: nothing was sent yet.
    ...(lastUpdated === null || lastUpdated.startsWith('0001-01-01') ? {} : { lastUpdated }),
    ...(detail === null ? {} : { detail }),
    raw,
  }
}
