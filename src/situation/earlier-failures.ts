import type { Exchange } from './exchanges.ts'
import { ipOf } from './hints.ts'

/** Failures that a log still holds and that were over before those of now began. */
export interface Epochs<T = Exchange> {
  readonly present: readonly T[]
  /** Of another kind than any that is present, oldest first. */
  readonly earlier: readonly T[]
}

/** One request or connection, as far as it matters whether it is over. */
export interface Moment<T> {
  readonly of: T
  readonly time: number
  /** What everybody said of it: failures that say the same are of one kind. */
  readonly kind: string
  readonly fails: boolean
  readonly passes: boolean
  /** Who was to answer. */
  readonly pod: string | null
}

/** So long without one more failure of its kind, and then others only: what was wrong then is not what is wrong now. */
const quietMs = 10 * 60_000

/** Exchanges in the order of time. A line that the person handed in is the call that is meant, however old it is. */
export function epochsOf(exchanges: readonly Exchange[], isMeant: (exchange: Exchange) => boolean): Epochs {
  const failing = exchanges.filter(({ showsSymptom }) => showsSymptom)
  return failing.some(isMeant) ? { present: failing, earlier: [] } : split(exchanges.map(momentOf))
}

/** Moments in the order of time. */
export function split<T>(moments: readonly Moment<T>[]): Epochs<T> {
  const failing = moments.filter(({ fails }) => fails)
  const kinds = new Map<string, Moment<T>[]>()
  for (const moment of failing) kinds.set(moment.kind, [...(kinds.get(moment.kind) ?? []), moment])
  const groups = [...kinds.values()]
  const over = new Set(groups.filter((group) => isOver(group, groups, moments)).flat())
  const those = (isOne: (moment: Moment<T>) => boolean) => failing.filter(isOne).map(({ of }) => of)
  return { present: those((one) => !over.has(one)), earlier: those((one) => over.has(one)) }
}

/** Nothing failed for long, and far more got through since than ever did between two failures. */
export function isAllOver<T>(moments: readonly Moment<T>[]): boolean {
  const failing = moments.filter(({ fails }) => fails)
  const last = failing.at(-1)?.time ?? Number.NaN
  const next = moments.find(({ passes, time }) => passes && time > last)?.time ?? Number.NaN
  return next - last > quietMs && passedBetween(failing, moments, last, Number.POSITIVE_INFINITY)
}

function momentOf(exchange: Exchange): Moment<Exchange> {
  return {
    of: exchange,
    time: exchange.time ? Date.parse(exchange.time) : Number.NaN,
    kind: kindOf(exchange),
    fails: exchange.showsSymptom,
    passes: !exchange.showsSymptom && (exchange.code ?? 500) < 400,
    pod: podOf(exchange),
  }
}

/** What every side said. */
function kindOf({ client, gateway, waypoint, server }: Exchange): string {
  const said = [client, gateway, waypoint, server].map((line) =>
    line ? [line.record.code, line.record.flags, line.record.details, line.record.termination] : null,
  )
  return JSON.stringify(said)
}

function isOver<T>(group: readonly Moment<T>[], groups: readonly (readonly Moment<T>[])[], all: readonly Moment<T>[]) {
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
function passedBetween<T>(group: readonly Moment<T>[], all: readonly Moment<T>[], last: number, next: number): boolean {
  const pods = new Set(group.map(({ pod }) => pod))
  const inGroup = new Set(group)
  let run = 0
  let longest = 0
  let after = 0
  for (const moment of all) {
    const { time, passes, pod } = moment
    if (inGroup.has(moment)) {
      longest = Math.max(longest, run)
      run = 0
    } else if (passes && pods.has(pod)) {
      if (time < last && time >= timeOf(group[0])) run += 1
      if (time > last && time < next) after += 1
    }
  }
  return after >= Math.max(3, 2 * longest + 1)
}

function podOf({ client, gateway, server }: Exchange): string | null {
  return ipOf((client ?? gateway)?.record.upstreamHost ?? server?.record.downstreamLocal ?? null)
}

function timeOf<T>(moment: Moment<T> | undefined): number {
  return moment?.time ?? Number.NaN
}
