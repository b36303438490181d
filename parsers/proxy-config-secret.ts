import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { isObject, type JsonObject, kindOf, readSource } from './lib/proxy-config-json.ts'

export const ProxySecret = z.object({
  /** `default` is the workload's own certificate, `ROOTCA` what it trusts, `kubernetes://NAME` a gateway's credential. */
  name: z.string(),
  /** A warming secret was asked for and has not arrived. */
  state: z.enum(['active', 'warming', 'static']),
  kind: z.enum(['certificate', 'trust', 'other', 'none']),
  /** PEM text of the certificate chain or of the roots. `''` where the dump carries none. Private keys are never read. */
  pem: z.string(),
  lastUpdated: z.string().nullable(),
  version: z.string().nullable(),
  /** SPIRE style: one root bundle for each trust domain. */
  bundles: z.array(z.object({ trustDomain: z.string(), pem: z.string() })),
})
export type ProxySecret = z.infer<typeof ProxySecret>

export function readSecrets(source: unknown): readonly ProxySecret[] {
  const dump = readSource(source)
  if (!isObject(dump)) throw new ParseError(`an object with secrets was expected, got ${kindOf(dump)}`)
  const known = ['dynamicActiveSecrets', 'dynamicWarmingSecrets', 'staticSecrets', '@type']
  if (Object.keys(dump).length > 0 && !known.some((key) => key in dump))
    throw new ParseError(`an object with secrets was expected, got ${kindOf(dump)}`)
  return [
    ...secrets(dump.dynamicActiveSecrets, 'active'),
    ...secrets(dump.dynamicWarmingSecrets, 'warming'),
    ...secrets(dump.staticSecrets, 'static'),
  ]
}

/** `istioctl proxy-config secret -o json`. */
export default defineParser<readonly ProxySecret[]>({
  name: 'proxy-config-secret',
  schema: z.array(ProxySecret),
  parse: readSecrets,
})

function secrets(value: unknown, state: ProxySecret['state']): ProxySecret[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every(isObject)) throw new ParseError('secrets are no list of objects')
  return value.map((entry) => {
    const secret = isObject(entry.secret) ? entry.secret : {}
    const tls = isObject(secret.tlsCertificate) ? secret.tlsCertificate : null
    const validation = isObject(secret.validationContext) ? secret.validationContext : null
    const common = {
      name: string(entry.name) ?? string(secret.name) ?? '',
      state,
      lastUpdated: string(entry.lastUpdated),
      version: string(entry.versionInfo),
    }
    if (tls) return { ...common, kind: 'certificate', pem: dataOf(tls.certificateChain), bundles: [] }
    if (validation)
      return { ...common, kind: 'trust', pem: dataOf(validation.trustedCa), bundles: spiffeBundles(validation) }
    const filled = Object.keys(secret).some((key) => key !== 'name' && key !== '@type')
    return { ...common, kind: filled ? 'other' : 'none', pem: '', bundles: [] }
  })
}

function spiffeBundles(validation: JsonObject): { trustDomain: string; pem: string }[] {
  const custom = isObject(validation.customValidatorConfig) ? validation.customValidatorConfig.typedConfig : null
  const domains = isObject(custom) ? custom.trustDomains : null
  if (!Array.isArray(domains)) return []
  return domains
    .filter(isObject)
    .map((domain) => ({ trustDomain: string(domain.name) ?? '', pem: dataOf(domain.trustBundle) }))
}

function dataOf(source: unknown): string {
  if (!isObject(source)) return ''
  if (typeof source.inlineString === 'string') return source.inlineString
  return typeof source.inlineBytes === 'string' ? decodeBase64(source.inlineBytes) : ''
}

/** PEM is ASCII, so bytes are characters. `atob` is in every JavaScript engine, unlike Buffer. */
function decodeBase64(text: string): string {
  try {
    return atob(text.replace(/\s/g, ''))
  } catch {
    return ''
  }
}

function string(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
