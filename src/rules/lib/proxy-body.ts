/**
 * The body that Envoy writes when a request was reset. Its length stands in BYTES_SENT of every proxy that passes it on, so the
 * caller's own line tells the reason although it only says `via_upstream`. (Seen: 95 and 121 bytes, Envoy 1.38.)
 */
const before = 'upstream connect error or disconnect/reset before headers. '
const again = 'retried and the latest '
const word = 'reset reason: '

const reasons = {
  'connection termination': [''],
  // Releases before Envoy 1.38.1 tell callers the transport's reason, too.
  'remote connection failure': ['', 'delayed connect error: Connection refused', 'delayed connect error: 111'],
  'connection timeout': [''],
  'remote reset': [''],
  overflow: [''],
  'protocol error': [''],
} as const

export type ResetReason = keyof typeof reasons

/** The reason that a body of this length gives, if it is one of Envoy's and no other has that length. */
export function resetReasonOf(bytes: number | null): ResetReason | null {
  if (bytes === null) return null
  const fitting = (Object.keys(reasons) as ResetReason[]).filter((reason) =>
    reasons[reason].some((transport) => {
      const length =
        before.length +
        word.length +
        reason.length +
        (transport === '' ? 0 : `, transport failure reason: ${transport}`.length)
      return length === bytes || length + again.length === bytes
    }),
  )
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}
