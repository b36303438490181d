import type { Given, SymptomId, Target } from '../model/call.ts'
import type { WalkPorts } from '../model/control.ts'
import type { RunEvent, RunState } from '../model/run.ts'

export interface ClusterFacts {
  readonly context: string | null
  readonly istio: string | null
  readonly reachable: boolean
  /** Why it is not reachable, in words: shown wherever something cannot be offered. */
  readonly why?: string
}

export interface SymptomItem {
  readonly id: SymptomId
  readonly title: string
  /** How people say it; filtered by, too. */
  readonly says: readonly string[]
  /** What of the call matters, in this order. Left out: both ends. */
  readonly asks?: readonly ('from' | 'host' | 'to')[]
}

/** One thing to pick: a workload, a Service, a host. */
export interface WorkloadItem {
  readonly target: Target
  readonly name: string
  readonly namespace: string | null
  /** `deploy`, `sts`, `cronjob`, `svc`, `gateway`, `host`, … as the cluster calls it. */
  readonly kind: string
  readonly pods: number | null
  readonly ready: number | null
  readonly proxy: 'sidecar' | 'ambient' | 'none' | 'gateway' | 'unknown'
  /** `restarted 4 min ago`, when it is recent enough to matter. */
  readonly restarts: string | null
  readonly ports: readonly { readonly port: number; readonly name: string | null }[]
  /** Why it should be looked at first. */
  readonly suspicious: string | null
}

export interface Listing {
  readonly items: readonly WorkloadItem[]
  /** Set when the list could not be read or is only a part: an empty list is not "nothing there". */
  readonly blind: { readonly reason: string; readonly unlock: string | null } | null
}

export interface DemoItem {
  readonly id: string
  readonly title: string
  readonly symptom: SymptomId
}

export interface SessionItem {
  readonly path: string
  readonly title: string
  readonly when: string
}

/** What a term, a flag, a code or a whole line means. */
export interface Explanation {
  readonly title: string
  readonly sentences: readonly string[]
  readonly layer: string | null
  readonly lookNext: readonly { readonly command: string | null; readonly why: string }[]
  /** What people get wrong about it. */
  readonly myth: string | null
}

export interface Paste {
  /** `access-log`, `curl`, `ztunnel-log`, `istioctl`, … */
  readonly kind: string
  /** The answer in one or two sentences: shown before anything else. */
  readonly sentence: string
  readonly details: readonly string[]
  readonly given: Partial<Given>
}

export interface Saved {
  readonly folder: string
  readonly notePath: string
}

/** Everything the screens need from the outside. The CLI implements it; tests and demos implement it with recorded data. */
export interface Backend {
  readonly cluster: (signal: AbortSignal) => Promise<ClusterFacts>
  readonly symptoms: readonly SymptomItem[]
  readonly listCallers: (signal: AbortSignal) => Promise<Listing>
  readonly listDestinations: (signal: AbortSignal) => Promise<Listing>
  /** What callers outside the cluster may ask for: the hosts of gateways and routes. */
  readonly listHosts: (signal: AbortSignal) => Promise<Listing>
  /** Reads the target grammar; throws UserError when the text is no target. */
  readonly target: (text: string) => Target
  readonly demos: readonly DemoItem[]
  readonly sessions: () => Promise<readonly SessionItem[]>
  readonly explain: (text: string) => Promise<Explanation | null>
  readonly parsePaste: (text: string) => Promise<Paste | null>
  readonly start: (given: Given, ports: WalkPorts, signal: AbortSignal) => AsyncIterable<RunEvent>
  readonly playDemo: (id: string, ports: WalkPorts, signal: AbortSignal) => AsyncIterable<RunEvent>
  readonly openRecording: (path: string, ports: WalkPorts, signal: AbortSignal) => AsyncIterable<RunEvent>
  /** An archive is a cluster that stands still: the intake goes on, with its lists. */
  readonly openArchive: (path: string, signal: AbortSignal) => Promise<Backend>
  readonly save: (state: RunState) => Promise<Saved>
  readonly renderNote: (state: RunState, format: 'markdown' | 'json') => Promise<string> | string
  /** Resolves to what the command printed, as it is in the session folder (redacted). */
  readonly rawOutput: (commandId: string) => Promise<string>
  /** Puts text into the clipboard of the person's terminal. False: this terminal cannot. */
  readonly copy: (text: string) => boolean
}

export interface GuidedOptions {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr?: NodeJS.WriteStream
  /** False under NO_COLOR or where the terminal has none. */
  readonly colour: boolean
  /** What flags already said: not asked again. */
  readonly given?: Partial<Given>
  /** Starts with this instead of the intake. */
  readonly open?:
    | { readonly demo: string }
    | { readonly recording: string }
    | { readonly archive: string }
    /** What a pipe brought: answered before anything else. */
    | { readonly paste: string }
  /** Aborted on SIGTERM and SIGHUP: ends as Ctrl-C does. */
  readonly signal?: AbortSignal
  /** Handed the function that puts the terminal back, for crash handlers. Safe to call at any time, any number of times. */
  readonly onTerminal?: (restore: () => void) => void
  readonly now?: () => number
}

export interface GuidedEnd {
  readonly exitCode: number
  readonly state: RunState
  readonly saved: Saved | null
}
