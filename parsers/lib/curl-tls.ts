export interface CurlTls {
  /** `TLSv1.3`, once the handshake got that far. */
  readonly version: string | null
  readonly cipher: string | null
  /** What the server chose, `h2`; null when none was agreed. */
  readonly alpn: string | null
  readonly subject: string | null
  readonly issuer: string | null
  readonly expires: string | null
  readonly verification: 'ok' | 'failed' | 'skipped' | null
  /** Alerts and certificate errors in curl's words. */
  readonly errors: readonly string[]
}

export const noTls: CurlTls = {
  version: null,
  cipher: null,
  alpn: null,
  subject: null,
  issuer: null,
  expires: null,
  verification: null,
  errors: [],
}

/** Takes in one `*` line; returns undefined when it is not about TLS. */
export function readTlsNote(note: string, tls: CurlTls | null): CurlTls | undefined {
  const now = tls ?? noTls
  const match = (pattern: RegExp) => pattern.exec(note)?.[1]?.trim() ?? null
  if (/^ALPN[:,] (?:curl )?offer/.test(note)) return now
  const alpn = match(/^ALPN[:,] server accepted (?:to use )?(\S+)/)
  if (alpn) return { ...now, alpn }
  if (/^ALPN[:,] server did not/.test(note)) return now
  const connection = /^SSL connection using (\S+)(?: \/ (\S+))?/.exec(note)
  if (connection) return { ...now, version: connection[1] ?? null, cipher: connection[2] ?? null }
  const subject = match(/^subject: (.*)$/)
  if (subject) return { ...now, subject }
  const issuer = match(/^issuer: (.*)$/)
  if (issuer) return { ...now, issuer }
  const expires = match(/^expire date: (.*)$/)
  if (expires) return { ...now, expires }
  if (/^SSL certificate verify ok/.test(note)) return { ...now, verification: 'ok' }
  // `-k` was given: the connection goes on although the certificate is not trusted.
  if (/continuing anyway/.test(note)) return { ...now, verification: 'skipped', errors: [...now.errors, note] }
  if (
    /^SSL certificate problem|^SSL: (?:no alternative|certificate subject)|certificate verify (?:result|failed)/.test(
      note,
    )
  )
    return { ...now, verification: 'failed', errors: [...now.errors, note] }
  if (
    /TLS alert, (?!close notify)/.test(note) ||
    /SSL_connect|SSL_ERROR|error:[\dA-F]{8}|TLS connect error|sslv3 alert/i.test(note)
  )
    return { ...now, errors: [...now.errors, note.trim()] }
  if (
    /^(?:TLSv[\d.]+ |SSLv\d|SSL |TLS |Server certificate|CAfile|CApath|start date|common name|subjectAltName|successfully set certificate|Certificate level|using HTTP|TLS header)/.test(
      note,
    )
  )
    return now
  return undefined
}
