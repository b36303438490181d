import type { Certainty } from '../../model/answered-by.ts'
import type { Hit } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'
import { frontLines } from './front.ts'

/** How the 500 looks that a proxy gives where a route of the Gateway API has nobody to send a request to. */
export function backendGapLines(situation: Situation): readonly Line[] {
  return frontLines(
    situation,
    ({ record }) =>
      record.code === 500 &&
      record.upstreamHost === null &&
      (record.details === 'direct_response' || record.details === 'cluster_not_found'),
  ).map(({ line }) => line)
}

/** What a condition about backends is worth for this call: its lines prove it, or show that it is about other requests. */
export function worthOfGap(situation: Situation): { readonly certainty: Certainty; readonly about: Hit['about'] } {
  if (backendGapLines(situation).length > 0) return { certainty: 'proven', about: 'call' }
  return { certainty: 'likely', about: situation.failing.length > 0 ? 'aside' : 'call' }
}
