import type { Verify } from '../../model/finding.ts'
import type { Situation } from '../../situation/situation.ts'
import { quoted } from './words.ts'

/** The same request again, through the gateway. Sends traffic, so it is shown and never run. */
export function tryThroughGateway(situation: Situation, host: string, expect: string): Verify {
  const { given, hints, symptom } = situation
  const path = given.path ?? hints.path ?? '/'
  const scheme = symptom === 'tls' || hints.port === 443 ? 'https' : 'http'
  const method = given.method ?? hints.method ?? 'GET'
  return {
    command: `curl -s -o /dev/null -w '%{http_code}' -X ${method} ${quoted(`${scheme}://${host}${path}`)}`,
    expect,
  }
}
