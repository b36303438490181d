import type { Exchange, Line } from '../../situation/exchanges.ts'
import { ipOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { destinationName } from './words.ts'

/** Which pods of the destination some lines are about, and which of the others answer meanwhile. */
export interface Replicas {
  readonly failing: readonly PodView[]
  /** Names; empty where the failing ones answer, too. */
  readonly answering: readonly string[]
  /** `ledger.pay:8080`, or `pod ledger-v2-x, one of 3 behind ledger.pay:8080` where that one alone fails. */
  readonly text: string
}

export function replicasOf(situation: Situation, lines: readonly Line[]): Replicas {
  const failing = distinct(lines.flatMap((line) => podOfLine(situation, line) ?? []))
  const answered = distinct(situation.passing.flatMap((exchange) => podOfExchange(situation, exchange) ?? []))
  const overlap = answered.some(({ name }) => failing.some((pod) => pod.name === name))
  const answering = overlap ? [] : answered.map(({ name }) => name).sort()
  const destination = destinationName(situation)
  const [only, second] = failing
  const text =
    only && !second && answering.length > 0
      ? `pod ${only.name}, one of ${situation.server.pods.length} behind ${destination}`
      : destination
  return { failing, answering, text }
}

/** ` v1-a and v1-b of the same Service answer.` */
export function answeringText({ answering }: Replicas): string {
  if (answering.length === 0) return ''
  return ` ${answering.join(', ')} of the same Service ${answering.length === 1 ? 'answers' : 'answer'}.`
}

function podOfLine(situation: Situation, { role, pod, record }: Line): PodView | null {
  if (role === 'server') return pod ?? situation.podByIp(ipOf(record.downstreamLocal))
  return situation.podByIp(ipOf(record.upstreamHost))
}

function podOfExchange(situation: Situation, { client, gateway, server }: Exchange): PodView | null {
  const line = server ?? client ?? gateway
  return line ? podOfLine(situation, line) : null
}

function distinct(pods: readonly PodView[]): readonly PodView[] {
  return [...new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod])).values()]
}
