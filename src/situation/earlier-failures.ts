import type { Exchange } from './exchanges.ts'
import { ipOf } from './hints.ts'

/** Failures that a log still holds and that were over before those of now began. */
export interface Epochs {
  readonly present: readonly Exchange[]
  /** Of another kind than any that is present, oldest first. */
  readonly earlier: readonly Exchange[]
}

/** So long without one more failure of its kind, and then others only: what was wrong then is not what is wrong now. */
const quietMs = 10 * 60_000

/** Exchanges in the order of time. A line that the person handed in is the call that is meant, however old it is. */
export function epochsOf(exchanges: readonly Exchange[], isMeant: (exchange: Exchange) => boolean): Epochs {
  const failing = exchanges.filter(({ showsSymptom }) => showsSymptom)
  if (failing.some(isMeant)) return { present: failing, earlier: [] }
  const kinds = new Map<string, Exchange[]>()
  for (const exchange of failing) kinds.set(kindOf(exchange), [...(kinds.get(kindOf(exchange)) ?? []), exchange])
  const groups = [...kinds.values()]
  const over = new Set(groups.filter((group) => isOver(group, groups, exchanges)).flat())
  return { present: failing.filter((one) => !over.has(one)), earlier: failing.filter((one) => over.has(one)) }
}

/** What every side said. */
function kindOf({ client, gateway, waypoint, server }: Exchange): string {
  const said = [client, gateway, waypoint, server].map((line) =>
    line ? [line.record.code, line.record.flags, line.record.details, line.record.termination] : null,
  )
  return JSON.stringify(said)
}

function isOver(group: readonly Exchange[], groups: readonly (readonly Exchange[])[], all: readonly Exchange[]) {
  const last = timeOf(group.at(-1))
  const others = groups.filter((other) => other !== group && timeOf(other.at(-1)) > last)
  if (Number.isNaN(last) || others.length === 0) return false
  const begun = Math.min(...others.map(([first]) => timeOf(first)))
  if (begun > last) return begun - last > quietMs || passedBetween(group, all, last, begun)
  // A kind that was there already then, and is there still: this one has to be gone for long.
  const newest = Math.max(...others.map((other) => timeOf(other.at(-1))))
  return newest - last > quietMs && passedBetween(group, all, last, newest)
}

/** The pods that failed so answered again, and for longer than they ever did between two of these failures. */
function passedBetween(group: readonly Exchange[], all: readonly Exchange[], last: number, next: number): boolean {
  const pods = new Set(group.map(podOf))
  const inGroup = new Set(group)
  let run = 0
  let longest = 0
  let after = 0
  for (const exchange of all) {
    const time = timeOf(exchange)
    if (inGroup.has(exchange)) {
      longest = Math.max(longest, run)
      run = 0
    } else if (!exchange.showsSymptom && (exchange.code ?? 500) < 400 && pods.has(podOf(exchange))) {
      if (time < last && time >= timeOf(group[0])) run += 1
      if (time > last && time < next) after += 1
    }
  }
  return after >= Math.max(3, 2 * longest + 1)
}

function podOf({ client, gateway, server }: Exchange): string | null {
  return ipOf((client ?? gateway)?.record.upstreamHost ?? server?.record.downstreamLocal ?? null)
}

function timeOf(exchange: Exchange | undefined): number {
  return exchange?.time ? Date.parse(exchange.time) : Number.NaN
}
