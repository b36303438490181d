import type { Quote } from '../model/evidence.ts'
import { type Exchange, pathOnly } from './exchanges.ts'
import type { Situation } from './situation.ts'

/** `POST /v1/transfer`: the request that a quoted line of a log is about, as its caller sent it. Null where that cannot be told. */
export function requestOfQuote({ exchanges }: Situation): (quote: Quote) => string | null {
  let known: ReadonlyMap<string, string | null> | null = null
  return ({ entry, line }) => {
    if (line === undefined) return null
    known ??= new Map(exchanges.flatMap(placesOf))
    return known.get(`${entry}:${line}`) ?? null
  }
}

function placesOf(exchange: Exchange): [string, string | null][] {
  const lines = [exchange.client, exchange.gateway, exchange.waypoint, exchange.server].flatMap((line) => line ?? [])
  const [front] = lines
  const { method, path } = front?.record ?? {}
  const request = method && path ? `${method} ${pathOnly(path)}` : null
  return lines.map(({ entry, record }) => [`${entry}:${record.line}`, request])
}
