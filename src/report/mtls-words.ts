import type { PeerAuth } from '../mesh/peer-auth.ts'

/** `STRICT, set by PeerAuthentication pay/default (namespace)`. */
export function modeWords({
  mode,
  level,
  winner,
  ambient,
}: Pick<PeerAuth, 'mode' | 'level' | 'winner' | 'ambient'>): string {
  const said = winner
    ? `${mode}: PeerAuthentication ${winner.metadata.namespace ?? ''}/${winner.metadata.name} (${level})`
    : `${mode}, the default: no PeerAuthentication sets a mode`
  if (ambient === null) return said
  const words = ambient.refusesPlaintext ? 'ztunnel refuses plaintext' : 'ztunnel lets plaintext in'
  return `${said}; ${words}${ambient.suspicion ? ` (${ambient.suspicion})` : ''}`
}
