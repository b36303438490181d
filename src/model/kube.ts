/** Kubernetes objects as `kubectl get -o json` prints them. Only what is read is typed; the rest stays unknown. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly uid?: string
  readonly generation?: number
  readonly resourceVersion?: string
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[]
}

/** Any object. `spec` comes from a cluster and may hold anything: read it defensively. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  // biome-ignore lint/suspicious/noExplicitAny: objects of any kind; readers check what they use
  readonly spec?: any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly status?: any
  // biome-ignore lint/suspicious/noExplicitAny: ConfigMaps and Secrets keep their content here
  readonly data?: any
  readonly [key: string]: unknown
}

/** `ns/name`, as findings name objects: `DestinationRule shop/ledger-pool`. */
export function objectName(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return namespace ? `${object.kind} ${namespace}/${name}` : `${object.kind} ${name}`
}
