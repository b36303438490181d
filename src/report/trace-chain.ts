import type { NotRead } from './not-read.ts'

export type PartState = 'ok' | 'broken' | 'open'

/** One decision inside of a proxy: which listener, which route, … */
export interface ChainPart {
  readonly kind: string
  readonly text: string
  /** The object that this part was made from: `DestinationRule shop/ledger-pool`. */
  readonly from: string | null
  readonly state: PartState
  /** Why it ends here, or why nobody knows. */
  readonly why: string | null
  readonly facts: Readonly<Record<string, unknown>>
}

/** A place on the call's way with everything it decides about the call. */
export interface ChainHop {
  readonly role: 'client' | 'gateway' | 'waypoint' | 'server' | 'app'
  /** `web-1.shop`, or the host where it is outside. */
  readonly name: string
  readonly proxy: string
  readonly state: PartState
  readonly parts: readonly ChainPart[]
}

/** What the two ends of one connection make of each other. */
export interface ChainLink {
  readonly from: ChainHop['role']
  readonly to: ChainHop['role']
  readonly sends: { readonly what: string; readonly why: string; readonly from: string | null } | null
  readonly accepts: { readonly mode: string; readonly why: string; readonly from: string | null } | null
  readonly state: PartState
  readonly why: string
}

export interface TraceChain {
  readonly kind: 'CallTrace'
  readonly schemaVersion: '1.0'
  readonly outcome: 'reaches-app' | 'breaks' | 'answered' | 'cannot-decide'
  readonly summary: string
  readonly call: {
    readonly from: string | null
    readonly to: string | null
    readonly method: string | null
    readonly path: string | null
    readonly host: string | null
    readonly protocol: string
  }
  /** What the caller gets where it ends early, as far as the configuration says. */
  readonly caller: {
    readonly status: number | null
    readonly flags: readonly string[]
    readonly details: string | null
  } | null
  readonly hops: readonly ChainHop[]
  readonly links: readonly ChainLink[]
  readonly assumptions: readonly string[]
  readonly notRead: readonly NotRead[]
}
