import type { ZtunnelRecord } from '../model/access-log.ts'
import { type Recognised, shorten } from './explanation.ts'
import { lookUp } from './vocabulary.ts'

/** What one line of ztunnel's access log says. */
export function explainZtunnelLine(record: ZtunnelRecord): Recognised {
  const entries = record.error === null ? [] : lookUp(record.error, ['ztunnel-error'])
  const entry = entries[0]
  const side =
    record.direction === 'inbound'
      ? 'the ztunnel on the destination’s node'
      : record.direction === 'outbound'
        ? 'the ztunnel on the caller’s node'
        : 'a ztunnel'
  const from = endOf(record.srcNamespace, record.srcWorkload, record.srcAddress)
  const to = endOf(
    record.dstNamespace,
    record.dstWorkload ?? record.dstService,
    record.dstHboneAddress ?? record.dstAddress,
  )
  const sentences = [`This line was written by ${side} about a connection from ${from} to ${to}.`]
  if (record.error === null)
    sentences.push(
      /opened/.test(record.message)
        ? 'The connection was opened; how it ends is in a later line.'
        : `It ended without an error (${record.bytesSent ?? '?'} bytes sent, ${record.bytesReceived ?? '?'} received). ztunnel does not see HTTP: an error answer inside counts as success here.`,
    )
  else
    sentences.push(
      entry
        ? `It ended with "${shorten(record.error, 160)}". ${entry.meaning}`
        : `It ended with "${shorten(record.error, 160)}", a text that is not one we know.`,
    )
  if (record.direction === 'inbound' && record.srcIdentity === null && record.srcAddress !== null)
    sentences.push('There is no src.identity: the connection came in without mutual TLS.')
  return {
    what: 'ztunnel line',
    text: shorten(record.raw),
    sentence: sentences.join(' '),
    entries,
    layer: entry?.layer ?? 'ambient-ztunnel',
    next: entry ? [filled(entry.next, record.error)] : ['The same connection in the other node’s ztunnel log'],
    mistakes: entry
      ? [entry.mistake]
      : ['A ztunnel line appears when the connection ends; one that is still open has none.'],
  }
}

function endOf(namespace: string | null, name: string | null, address: string | null): string {
  const named = name === null ? null : namespace === null ? name : `${namespace}/${name}`
  if (named && address) return `${named} (${address})`
  return named ?? address ?? 'an unknown peer'
}

function filled(next: string, error: string | null): string {
  const policy = /explicitly denied by: ([^/\s]+)\/(\S+)/.exec(error ?? '')
  if (!policy) return next
  return next.replace('authorizationpolicy <name> -n <ns>', `authorizationpolicy ${policy[2]} -n ${policy[1]}`)
}
