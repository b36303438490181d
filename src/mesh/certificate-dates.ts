/** The dates inside a PEM certificate, read without cryptography: only the fields of its outer structure are walked. */
export interface CertificateDates {
  /** RFC 3339. */
  readonly notBefore: string
  readonly notAfter: string
}

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

const block = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/

/** Dates of the first certificate of a chain. Null for text that is no certificate. */
export function certificateDates(pem: string): CertificateDates | null {
  const body = block.exec(pem)?.[1]
  if (body === undefined) return null
  const bytes = decode(body)
  if (bytes === null) return null
  // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serial, signature, issuer, validity, … } … }
  const certificate = readElement(bytes, 0)
  const tbs = certificate && readElement(bytes, certificate.start)
  if (tbs?.tag !== 0x30) return null
  const fields = children(bytes, tbs)
  const validity = fields[fields[0]?.tag === 0xa0 ? 4 : 3]
  if (validity?.tag !== 0x30) return null
  const [from, to] = children(bytes, validity).map((element) => timeOf(bytes, element))
  return from && to ? { notBefore: from, notAfter: to } : null
}

const uriTag = 0x86
const spiffe = [...'spiffe://'].map((character) => character.charCodeAt(0))

/** Who a certificate says its holder is: the first SPIFFE name among its alternative names. */
export function certificateIdentity(pem: string): string | null {
  const body = block.exec(pem)?.[1]
  const bytes = body === undefined ? null : decode(body)
  if (bytes === null) return null
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] !== uriTag) continue
    const name = readElement(bytes, at)
    if (name && spiffe.every((code, index) => bytes[name.start + index] === code))
      return String.fromCharCode(...bytes.subarray(name.start, name.end))
  }
  return null
}

function decode(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64.replace(/\s/g, '')), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}

function readElement(bytes: Uint8Array, at: number): Element | null {
  const [tag, first] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || first === undefined) return null
  const size = first < 0x80 ? 0 : first & 0x7f
  if (size > 4) return null
  let length = first < 0x80 ? first : 0
  for (let index = 0; index < size; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0)
  const start = at + 2 + size
  return start + length <= bytes.length ? { tag, start, end: start + length } : null
}

function children(bytes: Uint8Array, parent: Element): readonly Element[] {
  const found: Element[] = []
  for (let at = parent.start; at < parent.end; ) {
    const element = readElement(bytes, at)
    if (!element || element.end > parent.end) break
    found.push(element)
    at = element.end
  }
  return found
}

/** UTCTime `YYMMDDHHMMSSZ` (1950–2049) or GeneralizedTime `YYYYMMDDHHMMSSZ`. */
function timeOf(bytes: Uint8Array, { tag, start, end }: Element): string | null {
  const text = String.fromCharCode(...bytes.subarray(start, end))
  const long = tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(long)
  if (!match) return null
  const [, year, month, day, hour, minute, second = '00'] = match
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}
