import { type ConfigObject, objectText } from '../../mesh/config-object.ts'
import type { TraceStep } from '../../mesh/trace.ts'
import type { Certainty } from '../../model/answered-by.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Exchange, Line } from '../../situation/exchanges.ts'
import { resourceFor, type Stored } from '../../situation/objects.ts'
import { isSeenFromFront } from '../../situation/reading.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { type TracedCall, traceCall } from '../../situation/tracing.ts'

/** The proxies that choose route, cluster and endpoint for a call. */
export type FrontRole = 'client' | 'gateway' | 'waypoint'

/** What a proxy on the caller's side wrote down about one failing request. */
export interface FrontLine {
  readonly role: FrontRole
  readonly line: Line
  readonly exchange: Exchange
}

const fronts: readonly FrontRole[] = ['client', 'gateway', 'waypoint']

/** Failing requests whose line at the caller's proxy, the gateway or the waypoint satisfies a test. Oldest first. */
export function frontLines(situation: Situation, test: (line: Line) => boolean): readonly FrontLine[] {
  return situation.failing.flatMap((exchange) =>
    fronts.flatMap((role) => {
      const line = exchange[role]
      if (!line || !test(line)) return []
      // A pasted line of a gateway stands where the caller's would.
      return [
        { role: role === 'client' && line.role === 'given' && situation.gateway ? 'gateway' : role, line, exchange },
      ]
    }),
  )
}

/** Failing requests whose line at the destination's proxy satisfies a test. */
export function serverLines(situation: Situation, test: (line: Line) => boolean): readonly Line[] {
  return situation.failing.flatMap(({ server }) => (server && test(server) ? [server] : []))
}

/** Whether lines of whoever chooses the route were read: only those can lack a sign. What arrives at the destination tells nothing of the rest. */
export function frontWasSeen(situation: Situation): boolean {
  return situation.exchanges.length > 0 && isSeenFromFront(situation)
}

/** How much configuration alone is worth: less where something arrives all the same. */
export function unseenCertainty({ exchanges }: Situation): Certainty {
  return exchanges.length > 0 ? 'possible' : 'likely'
}

/** Who chooses the route, where no line says it. */
export function frontRole(situation: Situation): FrontRole {
  return situation.gateway && situation.client.pods.length === 0 ? 'gateway' : 'client'
}

export function frontName(situation: Situation, role: FrontRole): string {
  if (role === 'gateway') return 'the gateway'
  if (role === 'waypoint') return 'the waypoint'
  return situation.client.label ? `the proxy of ${situation.client.label}` : "the caller's proxy"
}

/** `12 of the 28 logged requests`: how often a sign shows. */
export function share(situation: Situation, matching: readonly unknown[]): string {
  const total = situation.exchanges.length
  if (total === 1) return 'the one logged request'
  return matching.length === total
    ? `all ${total} logged requests`
    : `${matching.length} of the ${total} logged requests`
}

/** Quotes one or two of the lines that show a sign: the latest, with how many there are. */
export function quoteSign(situation: Situation, lines: readonly Line[], statement: string): readonly Quote[] {
  const last = lines.at(-1)
  return last ? [quoteLine(last, `${statement} (${share(situation, lines)})`)] : []
}

/** What passed, for the difference to what failed. */
export function quotePassing({ passing }: Situation, role: FrontRole | 'server' = 'client'): readonly Quote[] {
  const line = passing.at(-1)?.[role]
  return line ? [quoteLine(line, `other requests of the same call pass (${passing.length})`)] : []
}

export function stepOf(traced: TracedCall | null, kind: TraceStep['kind']): TraceStep | null {
  return traced?.trace.steps.find((step) => step.kind === kind) ?? null
}

const entryOf = { listener: 'listeners', 'filter-chain': 'listeners', filter: 'listeners', route: 'routes' } as const

/** Quotes a part of the proxy's configuration, by what decides in it. */
export function quoteStep(traced: TracedCall, step: TraceStep, statement: string, part: unknown): readonly Quote[] {
  const kind = step.kind === 'endpoints' ? 'endpoints' : step.kind in entryOf ? null : 'clusters'
  const key = kind ?? entryOf[step.kind as keyof typeof entryOf] // every other kind is a key of it
  const entry = traced.entries[key]
  return entry ? [quote(entry, statement, typeof part === 'string' ? part : JSON.stringify(part))] : []
}

export function traceFrom(situation: Situation, role: FrontRole): TracedCall | null {
  return traceCall(situation, role)
}

export function storedOf({ store }: Situation, object: ConfigObject | null): Stored | null {
  return object ? store.get(object.kind, object.namespace, object.name) : null
}

export function quoteOwner(
  situation: Situation,
  object: ConfigObject | null,
  // biome-ignore lint/suspicious/noExplicitAny: the spec of any object
  part: (spec: any) => unknown,
): readonly Quote[] {
  const stored = storedOf(situation, object)
  return stored && object
    ? [quoteObject(stored, `what ${objectText(object)} says`, part(stored.object.spec) ?? stored.object.spec)]
    : []
}

export function refOf({ object }: Stored): ConfigObject {
  return { kind: object.kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name }
}

export function editCommand(object: ConfigObject): string {
  return `kubectl -n ${object.namespace} edit ${resourceFor(object.kind)} ${object.name}`
}

export function undoEdit(object: ConfigObject): string {
  return `save it first: kubectl -n ${object.namespace} get ${resourceFor(object.kind)} ${object.name} -o yaml, and apply that again`
}
