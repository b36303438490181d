/** The Istio object that a part of a proxy's configuration was made from. */
export interface ConfigObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** From `metadata.filterMetadata.istio.config`, which is a path: `/apis/GROUP/VERSION/namespaces/NS/KIND/NAME`. */
export function configObject(metadata: unknown): ConfigObject | null {
  // biome-ignore lint/suspicious/noExplicitAny: Envoy metadata of any shape
  const path: unknown = (metadata as any)?.filterMetadata?.istio?.config
  if (typeof path !== 'string') return null
  const match = /\/namespaces\/([^/]+)\/([^/]+)\/(.+)$/.exec(path)
  if (!match) return null
  return { kind: kindName(match[2] ?? ''), namespace: match[1] ?? '', name: match[3] ?? '' }
}

const acronyms: Readonly<Record<string, string>> = { http: 'HTTP', grpc: 'GRPC', tls: 'TLS', tcp: 'TCP', udp: 'UDP' }

/** `virtual-service` → `VirtualService`, `http-route` → `HTTPRoute`. */
function kindName(dashed: string): string {
  return dashed
    .split('-')
    .map((word) => acronyms[word] ?? word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

export function objectText(object: ConfigObject): string {
  return `${object.kind} ${object.namespace}/${object.name}`
}
