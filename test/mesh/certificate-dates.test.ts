import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import proxyConfigSecret from '../../parsers/proxy-config-secret.ts'
import { certificateDates } from '../../src/mesh/certificate-dates.ts'
import { proxyConfigJson, readConfigDump } from '../../src/model/config-dump.ts'
import { fixtureNames, readFixture } from '../helpers/session-fixtures.ts'

/** What `proxy-config secret` printed, or would print of the dump that `proxy-config all` printed. */
function secretsIn(args: readonly string[], stdout: string) {
  if (args.includes('secret')) return proxyConfigSecret.parse(stdout)
  const dump = args.includes('all') ? readConfigDump(JSON.parse(stdout)) : undefined
  return dump ? proxyConfigSecret.parse(JSON.stringify(proxyConfigJson(dump, 'secret'))) : []
}

test('dates of all recorded certificates are those that OpenSSL reads', () => {
  let compared = 0
  for (const name of fixtureNames.slice(0, 12)) {
    for (const { file, args, result } of readFixture(name).commands) {
      if (file !== 'istioctl' || result.exit.kind !== 'exited' || result.exit.code !== 0) continue
      for (const { pem } of secretsIn(args, result.stdout)) {
        if (pem === '') continue
        const { validFrom, validTo } = new X509Certificate(pem)
        const dates = certificateDates(pem)
        expect([Date.parse(dates?.notBefore ?? ''), Date.parse(dates?.notAfter ?? '')]).toEqual([
          Date.parse(validFrom),
          Date.parse(validTo),
        ])
        compared += 1
      }
    }
  }
  expect(compared).toBeGreaterThan(10)
})

test('text that is no certificate has no dates', () => {
  for (const text of [
    '',
    'x',
    '-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  ])
    expect(certificateDates(text)).toBeNull()
})
