import type { Fix, Verify } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'

/** `web.shop → ledger.pay:8080`. */
export function callName(situation: Situation): string {
  return `${callerName(situation)} → ${destinationName(situation)}`
}

export function callerName({ client, given, gateway }: Situation): string {
  return client.label ?? given.from?.text ?? (gateway ? 'a caller from outside' : 'the caller')
}

/** Whose proxy makes the connection to the destination. */
export function senderName(situation: Situation): string {
  const { client, gateway } = situation
  if (client.label !== null || !gateway) return callerName(situation)
  const pod = situation.sample?.gateway?.pod ?? gateway.pods[0]
  return pod ? `gateway ${podLabel(pod)}` : 'the gateway'
}

export function destinationName({ server, given }: Situation): string {
  const name = server.label ?? given.to?.text ?? given.host ?? 'the destination'
  return server.portNumber === null || name.endsWith(`:${server.portNumber}`) ? name : `${name}:${server.portNumber}`
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** The same request again, from where it failed. Sends traffic, so it is shown and never run. */
export function tryAgain(situation: Situation, expect: string): Verify {
  const { client, given, hints, server, sample, gateway } = situation
  const outside = client.pod === null ? (given.host ?? gateway?.host ?? sample?.gateway?.record.authority) : null
  if (gateway && outside) return tryThroughGateway(situation, outside, expect)
  const seen = sample?.client?.record ?? sample?.gateway?.record ?? sample?.server?.record ?? null
  const method = given.method ?? hints.method ?? seen?.method ?? 'GET'
  const path = given.path ?? hints.path ?? seen?.path ?? '/'
  const host = server.host?.replace(/\.svc\.cluster\.local$/, '') ?? given.host ?? 'HOST'
  const url = `http://${host}${server.portNumber ? `:${server.portNumber}` : ''}${path}`
  const curl = `curl -s -o /dev/null -w '%{http_code}' -X ${method} ${quoted(url)}`
  if (!client.pod) return { command: curl, expect }
  return { command: `kubectl exec -n ${client.pod.namespace} ${client.pod.name} -- ${curl}`, expect }
}

/** The same request again, through the gateway. */
export function tryThroughGateway(situation: Situation, host: string, expect: string): Verify {
  const { given, hints, symptom, sample } = situation
  const seen = sample?.gateway?.record ?? null
  const path = given.path ?? hints.path ?? seen?.path ?? '/'
  const scheme = symptom === 'tls' || hints.port === 443 || (seen?.sni ?? null) !== null ? 'https' : 'http'
  const method = given.method ?? hints.method ?? seen?.method ?? 'GET'
  return {
    command: `curl -s -o /dev/null -w '%{http_code}' -X ${method} ${quoted(`${scheme}://${host}${path}`)}`,
    expect,
  }
}

/** For people to paste: nothing from the cluster may end the quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** For causes that no change of the mesh removes. */
export function handOver(statement: string, scope: string): Fix {
  return { statement, commands: [], scope, risk: 'none: nothing in the mesh changes', undo: 'nothing to undo' }
}
