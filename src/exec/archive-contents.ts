import type { KubeObject } from '../model/kube.ts'
import type { ObjectKind } from './archive-kinds.ts'

/** One object of an archive; read when it is asked for, since most never are. */
export interface ArchivedObject {
  readonly name: string
  readonly namespace: string
  readonly read: () => KubeObject
}

export interface ArchivedObjects {
  /** Kinds that an archive's cluster is known to serve, and those everybody knows. */
  readonly kinds: readonly ObjectKind[]
  /** True where `kinds` is all that the cluster serves, so that absence is an answer. */
  readonly areKindsComplete: boolean
  readonly of: (kind: ObjectKind) => readonly ArchivedObject[]
  /**
   * Was this kind asked for, there (undefined: everywhere)? An empty list is an answer only then: "no policies" and "nobody
   * looked" must not be taken for each other.
   */
  readonly isRecorded: (kind: ObjectKind, namespace: string | undefined) => boolean
}

export interface ArchivedVersions {
  readonly client?: string
  readonly controlPlane: readonly { readonly revision: string; readonly version: string }[]
}

/** What an archive holds, in the terms of the commands that would have printed it. */
export interface ArchiveContents {
  readonly title: string
  readonly objects: ArchivedObjects
  /** By `pod.namespace`, then by the admin port's path. */
  readonly proxies: ReadonlyMap<string, ReadonlyMap<string, () => Promise<string>>>
  readonly log: (namespace: string, pod: string, container: string) => Promise<string | undefined>
  /** Which logs there are; an empty container is one that the file's name does not tell. */
  readonly logs: readonly { readonly namespace: string; readonly pod: string; readonly container: string }[]
  /** `analyze` in its log format, of all namespaces. */
  readonly analyze?: () => Promise<string>
  /** istiod's `debug/syncz`, by istiod. */
  readonly syncz: readonly { readonly istiod: string; readonly read: () => Promise<string> }[]
  readonly versions?: ArchivedVersions
  readonly kubernetes?: { readonly client?: string; readonly server?: string }
  readonly context?: string
  readonly notes: readonly string[]
}
