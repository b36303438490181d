import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import proxyConfigSecret from '../../parsers/proxy-config-secret.ts'
import { certificateDates } from '../../src/mesh/certificate-dates.ts'
import { fixtureNames, readFixture } from '../helpers/session-fixtures.ts'

test('dates of all recorded certificates are those that OpenSSL reads', () => {
  let compared = 0
  for (const name of fixtureNames.slice(0, 12)) {
    for (const { file, args, result } of readFixture(name).commands) {
      if (file !== 'istioctl' || !args.includes('secret') || result.exit.kind !== 'exited' || result.exit.code !== 0)
        continue
      for (const { pem } of proxyConfigSecret.parse(result.stdout)) {
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
