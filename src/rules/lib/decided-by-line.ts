import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, type RuleOutcome } from '../../model/finding.ts'
import type { Exchange, Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'
import { type FrontRole, frontName, quoteSign, share } from './front.ts'
import { hitOf, signMissing } from './make-hit.ts'

export type Where = FrontRole | 'server'

/** Lines that decide a mode by themselves, at the proxy that made the answer. */
export interface Found {
  readonly where: Where
  /** `the gateway`, `the destination's proxy`. */
  readonly who: string
  readonly line: Line
  readonly exchange: Exchange
  readonly lines: readonly Line[]
  readonly often: string
}

const order: readonly Where[] = ['server', 'waypoint', 'gateway', 'client']

/** The failing requests with such a line, told by the latest. The hop nearest to the application that shows it speaks. */
export function findLine(situation: Situation, test: (line: Line, where: Where) => boolean): Found | null {
  const found = situation.failing.flatMap((exchange) => {
    const where = order.find((role) => {
      const line = exchange[role]
      return line !== null && test(line, role)
    })
    const line = where ? exchange[where] : null
    return where && line ? [{ where, line, exchange }] : []
  })
  const last = found.at(-1)
  if (!last) return null
  const lines = found.map(({ line }) => line)
  return { ...last, lines, who: whoIs(situation, last.where), often: share(situation, lines) }
}

export function whoIs(situation: Situation, where: Where): string {
  return where === 'server' ? "the destination's proxy" : frontName(situation, where)
}

type Telling = Pick<Hit, 'subject' | 'title' | 'statement' | 'fix' | 'verify'> &
  Partial<Pick<Hit, 'certainty' | 'wouldDecide' | 'layer'>> & {
    /** What the quoted line shows. */
    readonly sign: string
    readonly more?: readonly Quote[]
  }

/** A mode that one kind of line proves. */
export function decidedByLine(
  situation: Situation,
  test: (line: Line, where: Where) => boolean,
  missing: string,
  tell: (found: Found) => Telling,
): RuleOutcome {
  const found = findLine(situation, test)
  if (!found) return signMissing(situation, missing)
  const { sign, more = [], certainty = 'proven', ...rest } = tell(found)
  return fired(hitOf({ ...rest, certainty, supporting: [...quoteSign(situation, found.lines, sign), ...more] }))
}

/** Every log that a line of this call may stand in. */
export const anyLog = ['server.accessLog', 'client.accessLog', 'gateway.accessLog', 'waypoint.accessLog'] as const
