import { patternRule, type Rule } from './rule.ts'

const keyMark = 'REDACTED PRIVATE KEY'
/** In JSON the line breaks of a PEM block are written `\n`; in a log that was cut the end is missing. */
const privateKeyBlock =
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)(?:[A-Za-z0-9+/=\s:,.-]|\\+[nrt]))*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?/g

const privateKeys = patternRule('private-key', ['PRIVATE KEY'], privateKeyBlock, () => keyMark)

/** `-----BEGIN` in base64: a certificate, a key, or both in one file. */
const encodedPem = patternRule('private-key', ['LS0tLS1CRUdJTi'], /LS0tLS1CRUdJTi[A-Za-z0-9+/_-]+={0,2}/g, (match) => {
  const decoded = Buffer.from(match, 'base64').toString('latin1')
  if (!decoded.includes('PRIVATE KEY') || decoded.includes(keyMark)) return match
  return Buffer.from(decoded.replace(privateKeyBlock, keyMark), 'latin1').toString('base64')
})

export const privateKeyRules: readonly Rule[] = [privateKeys, encodedPem]

/** Certificates are public; rules read them. Anything beside them in the same value is not. */
export function isPublicPem(text: string): boolean {
  const rest = text.replace(
    /-----BEGIN (CERTIFICATE|X509 CRL|PUBLIC KEY|TRUSTED CERTIFICATE)-----[A-Za-z0-9+/=\s]*-----END \1-----/g,
    '',
  )
  return rest.length < text.length && rest.trim() === ''
}
