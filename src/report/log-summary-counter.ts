/** How many, and between when. Times are milliseconds since 1970, null where no line carried one. */
export interface Span {
  readonly count: number
  readonly first: number | null
  readonly last: number | null
}

/** A span while it is counted. Infinite where no time was seen: plain numbers are counted several times faster than nullable ones. */
export interface OpenSpan {
  count: number
  first: number
  last: number
}

export function emptySpan(): OpenSpan {
  return { count: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY }
}

/** Counts one more, seen at this time. */
export function widen(span: OpenSpan, time: number): void {
  span.count++
  if (time < span.first) span.first = time
  if (time > span.last) span.last = time
}

/** Takes another span in. */
export function join(span: OpenSpan, other: OpenSpan): void {
  span.count += other.count
  if (other.first < span.first) span.first = other.first
  if (other.last > span.last) span.last = other.last
}

export function closeSpan({ count, first, last }: OpenSpan): Span {
  return first <= last ? { count, first, last } : { count, first: null, last: null }
}

export interface TallyEntry extends Span {
  readonly key: string
  readonly failed: number
}

export interface Tally {
  /** The most frequent first, failures before successes of equal number. */
  readonly entries: readonly TallyEntry[]
  /** Lines whose key came after the table was full. */
  readonly others: number
}

type OpenEntry = OpenSpan & { readonly key: string; failed: number }

/** What was counted, in the order in which the keys came. */
export interface OpenTally {
  readonly entries: readonly Readonly<OpenEntry>[]
  readonly others: number
}

export interface Counter {
  readonly add: (key: string | null, failed: boolean, time: number) => void
  readonly merge: (key: string, span: OpenSpan, failed: number) => void
  readonly tally: () => Tally
  readonly open: () => OpenTally
  /** Whether every key has found its place. */
  readonly isWhole: () => boolean
}

/** Counts by key, at most so many keys: what comes from clients (paths, addresses) has no end. */
export function createCounter(most: number): Counter {
  const found = new Map<string, OpenEntry>()
  let others = 0
  // Routes repeat from line to line, and comparing a string with itself costs nothing.
  let lastKey: string | null = null
  let last: OpenEntry = { ...emptySpan(), key: '', failed: 0 }
  const entryOf = (key: string) => {
    const known = found.get(key)
    if (known || found.size >= most) return known
    const made = { ...emptySpan(), key, failed: 0 }
    found.set(key, made)
    return made
  }
  return {
    add(key, failed, time) {
      const name = key ?? '-'
      if (name !== lastKey) {
        const entry = entryOf(name)
        if (!entry) {
          others++
          return
        }
        lastKey = name
        last = entry
      }
      widen(last, time)
      if (failed) last.failed++
    },
    merge(key, span, failed) {
      const entry = entryOf(key)
      if (!entry) others += span.count
      else {
        join(entry, span)
        entry.failed += failed
      }
    },
    open: () => ({ entries: [...found.values()], others }),
    isWhole: () => others === 0,
    tally: () => ({
      entries: [...found.values()]
        .sort((a, b) => b.failed - a.failed || b.count - a.count || (a.key < b.key ? -1 : 1))
        .map(({ key, failed, ...span }) => ({ key, failed, ...closeSpan(span) })),
      others,
    }),
  }
}
