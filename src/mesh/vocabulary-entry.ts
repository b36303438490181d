import type { Layer } from '../model/layer.ts'

export type EntryKind =
  | 'response-flag'
  | 'response-detail'
  | 'reset-reason'
  | 'termination-detail'
  | 'transport-failure'
  | 'ist-code'
  | 'xds-state'
  | 'jwt-text'
  | 'authz-text'
  | 'ztunnel-error'
  | 'curl-error'
  | 'caller-error'
  | 'http-status'
  | 'grpc-status'
  | 'http2-error'
  | 'istiod-text'
  | 'response-body'
  | 'cluster-name'
  | 'glossary'

/** Who writes a text. `any-proxy` is an Envoy in any role. */
export type Writer =
  | 'any-proxy'
  | 'client-proxy'
  | 'server-proxy'
  | 'gateway'
  | 'waypoint'
  | 'ztunnel'
  | 'istiod'
  | 'agent'
  | 'istioctl'
  | 'caller'
  | 'app'

/** One term and what a tired engineer needs to know about it. */
export interface VocabularyEntry {
  /** As it is printed. `…` stands for any text. */
  readonly term: string
  /** Other spellings of the same thing, with the same `…`. */
  readonly aliases: readonly string[]
  readonly kind: EntryKind
  readonly meaning: string
  readonly layer: Layer
  readonly side?: Writer
  /** What to look at next: a command that reads, or a sentence. */
  readonly next: string
  /** What people usually get wrong about it. */
  readonly mistake: string
  /** The release that brought it, as `Envoy 1.29` or `Istio 1.24`. */
  readonly since?: string
  readonly doc?: string
}

export type Wording = Omit<VocabularyEntry, 'term' | 'kind' | 'aliases'> & { readonly aliases?: readonly string[] }

/** Entries of one kind, keyed by term; `common` is what all of them share. */
export function vocabulary(
  kind: EntryKind,
  common: Partial<Pick<VocabularyEntry, 'side' | 'doc' | 'since'>>,
  wordings: Readonly<Record<string, Wording>>,
): readonly VocabularyEntry[] {
  return Object.entries(wordings).map(([term, wording]) => ({ ...common, aliases: [], ...wording, term, kind }))
}
