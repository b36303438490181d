import type { Exchange, Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'

/** The line nearest to the application that says something about this exchange: where the decision stands, if a proxy made it. */
export function decidingLine(exchange: Exchange): Line | null {
  return exchange.server ?? exchange.waypoint ?? exchange.gateway ?? exchange.client
}

/** Failing lines, at any hop, that satisfy a test: the evidence of rules that read access logs. */
export function failingLines(situation: Situation, test: (line: Line) => boolean): readonly Line[] {
  return situation.failing.flatMap((exchange) =>
    [exchange.client, exchange.gateway, exchange.waypoint, exchange.server].filter(
      (line): line is Line => line !== null && test(line),
    ),
  )
}

/** Whether failing exchanges were seen and none of their lines satisfies a test: what eliminates a mode. */
export function firstFailing(situation: Situation): Line | null {
  return situation.sample ? decidingLine(situation.sample) : null
}
