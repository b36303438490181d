import type { Command } from './command.ts'

/** A probe is asked of a role. `mesh` is for what belongs to no end of the call. */
export type Role = 'mesh' | 'client' | 'server' | 'gateway' | 'waypoint' | 'ztunnel'

/** `client.routes`, `server.accessLog`, `mesh.analyze`: what rules need and runbooks collect. */
export type EvidenceKey = `${Role}.${string}`

/** What one command taught us, or why it taught us nothing. The engine numbers entries C1, C2, … */
export interface EvidenceEntry {
  readonly id: string
  readonly key: EvidenceKey
  readonly role: Role
  readonly probe: string
  /** What was asked: `pod web-1.shop`, `namespace pay`, `mesh`. */
  readonly subject: string
  /** The name parts of the subject, for joining. */
  readonly namespace: string | null
  readonly name: string | null
  readonly command: Command
  readonly status: 'ok' | 'missing'
  /** Parsed data, when ok. */
  readonly data: unknown
  /** Why it is missing: a value of MissingReason. */
  readonly reason: string | null
  readonly detail: string | null
  /** What would make it readable: a permission to ask for, a flag to drop. */
  readonly unlock: string | null
  readonly at: string
  readonly durationMs: number
}

/** A statement of fact and where it stands. Rules make these; the note numbers them E1, E2, … */
export interface Quote {
  /** Id of the EvidenceEntry whose command printed it. `given` for what the person pasted. */
  readonly entry: string
  readonly statement: string
  /** The deciding words as printed, at most a few hundred characters. */
  readonly excerpt: string | null
  readonly line?: number
}
