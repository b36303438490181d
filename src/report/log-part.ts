import type { TunnelGroup } from './log-summary.ts'
import type { OpenSpan, OpenTally, Span } from './log-summary-counter.ts'
import type { Leaf } from './log-summary-groups.ts'

export type Tunnels = OpenSpan & Omit<TunnelGroup, keyof Span>

/** A tally as plain data. Everything in it is in the order in which it came, so that parts add up to the same whole. */
export interface LogPart {
  readonly leaves: readonly Leaf[]
  readonly routes: OpenTally
  readonly peers: OpenTally
  readonly failedPaths: OpenTally
  readonly tunnels: readonly (readonly [string, Tunnels])[]
  readonly tunnel: { readonly connections: number; readonly failed: number }
  readonly skipped: number
}
