import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import secretParser from '../../parsers/proxy-config-secret.ts'
import {
  type Certificate,
  type CertificateFacts,
  type CertificateTools,
  chainValidity,
  compareRoots,
  coversHost,
  type ProxyIdentity,
  parseSpiffe,
  proxyIdentity,
  readChain,
  sansAccepted,
  trusts,
} from '../../src/mesh/certificates.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'

const tools: CertificateTools = {
  read(pem) {
    const x = new X509Certificate(pem)
    const names = (x.subjectAltName ?? '').split(', ')
    const of = (kind: string) => names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length))
    return {
      subject: x.subject ?? '',
      issuer: x.issuer ?? '',
      serial: x.serialNumber,
      notBefore: new Date(x.validFrom).toISOString(),
      notAfter: new Date(x.validTo).toISOString(),
      uris: of('URI:'),
      dnsNames: of('DNS:'),
      isCa: x.ca,
      fingerprint: x.fingerprint256,
    }
  },
  signed: (subject, issuer) => new X509Certificate(subject).verify(new X509Certificate(issuer).publicKey),
}

function facts(name: string, issuer: string, more: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    subject: name,
    issuer,
    serial: '1',
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-02-01T00:00:00Z',
    uris: [],
    dnsNames: [],
    isCa: false,
    fingerprint: name,
    ...more,
  }
}
const certificate = (name: string, issuer: string, more?: Partial<CertificateFacts>): Certificate => ({
  pem: name,
  facts: facts(name, issuer, more),
})
function identity(chain: readonly Certificate[], roots: readonly Certificate[]): ProxyIdentity {
  return { chain, roots, spiffe: null, warming: [], credentials: {} }
}
const root = certificate('root', 'root', { isCa: true })
const other = certificate('other', 'other', { isCa: true })
const byName: CertificateTools = { read: () => facts('', '') }

describe('dates', () => {
  const chain = [certificate('leaf', 'root')]
  test.each([
    ['2026-01-15T00:00:00Z', 'valid'],
    ['2026-02-01T00:00:00Z', 'expired'],
    ['2025-12-31T00:00:00Z', 'not-yet-valid'],
  ])('at %s the chain is %s', (now, state) => {
    expect(chainValidity(chain, Date.parse(now)).state).toBe(state)
  })
  test('no chain is missing, a broken block is unreadable, broken dates are unreadable', () => {
    expect(chainValidity([], 0).state).toBe('missing')
    expect(chainValidity([{ pem: 'x', facts: null }], 0).state).toBe('unreadable')
    expect(chainValidity([certificate('leaf', 'root', { notAfter: 'soon' })], 0).state).toBe('unreadable')
  })
  test('the certificate that ends first is named', () => {
    const sooner = certificate('ca', 'root', { notAfter: '2026-01-20T00:00:00Z' })
    expect(chainValidity([certificate('leaf', 'ca'), sooner], Date.parse('2026-01-15T00:00:00Z'))).toMatchObject({
      state: 'valid',
      certificate: { subject: 'ca' },
      leftMs: 5 * 86_400_000,
    })
  })
})

describe('roots', () => {
  test.each([
    [[root], [root], 'same'],
    [[root], [root, other], 'overlap'],
    [[root], [other], 'disjoint'],
    [[], [root], 'unknown'],
    [[{ pem: 'x', facts: null }], [root], 'unknown'],
  ] as const)('case %#: %s', (a, b, verdict) => {
    expect(compareRoots(identity([], a), identity([], b)).verdict).toBe(verdict)
  })
})

describe('trust', () => {
  const leaf = certificate('leaf', 'root')
  const viaCa = [certificate('leaf', 'ca'), certificate('ca', 'root')]
  test.each([
    ['a leaf of the root', [root], [leaf], true],
    ['a chain over an intermediate', [root], viaCa, true],
    ['a foreign authority', [other], [leaf], false],
    ['a chain with a hole', [root], [certificate('leaf', 'ca'), certificate('x', 'root')], false],
    ['no roots looked at', [], [leaf], null],
    ['no chain looked at', [root], [], null],
    ['an unreadable chain', [root], [{ pem: '', facts: null }], null],
  ] as const)('%s', (_, roots, chain, expected) => {
    expect(trusts(identity([], roots), identity(chain, []), byName)).toBe(expected)
  })
  test('two authorities of one name are told apart by signatures', () => {
    const signed = () => false
    expect(trusts(identity([], [root]), identity([leaf], []), { ...byName, signed })).toBe(false)
  })
})

describe('names', () => {
  test.each([
    [
      'spiffe://cluster.local/ns/pay/sa/ledger',
      { trustDomain: 'cluster.local', namespace: 'pay', serviceAccount: 'ledger' },
    ],
    ['spiffe://cluster.local/other', null],
    ['https://cluster.local/ns/a/sa/b', null],
  ])('%s', (uri, expected) => expect(parseSpiffe(uri)).toEqual(expected))
  test.each([
    [[], true],
    [['spiffe://td/ns/a/sa/b'], true],
    [['spiffe://td/ns/a/sa/c'], false],
    [['spiffe://td/*'], true],
    [['*/sa/b'], true],
  ])('expected %j', (expected, accepted) => {
    expect(sansAccepted(expected, facts('', '', { uris: ['spiffe://td/ns/a/sa/b'] }))).toBe(accepted)
  })
  test.each([
    ['shop.example.com', true],
    ['SHOP.example.com', true],
    ['a.wild.test', true],
    ['a.b.wild.test', false],
    ['wild.test', false],
  ])('a certificate for %s: %s', (host, covered) => {
    expect(coversHost(facts('', '', { dnsNames: ['shop.example.com', '*.wild.test'] }), host)).toBe(covered)
  })
})

test('a block that is no certificate is kept as unreadable', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
  expect(readChain(`${pem}\n${pem}`, tools)).toEqual([
    { pem, facts: null },
    { pem, facts: null },
  ])
})

describe.skipIf(!hasShared)('captured proxies', () => {
  test('present an identity of their own service account and trust each other', () => {
    let identities = 0
    for (const capture of captures) {
      const folder = join(meshesFolder, capture, 'istioctl/1.30/proxies')
      if (!existsSync(folder)) continue
      const { capturedAt } = readJson(join(meshesFolder, capture, 'mesh.json'))
      const pods: any[] = readJson(join(meshesFolder, capture, 'objects/pods.json')).items
      const all: ProxyIdentity[] = []
      for (const proxy of readdirSync(folder)) {
        const file = join(folder, proxy, 'secret.json')
        if (!existsSync(`${file}.gz`) && !existsSync(file)) continue
        const one = proxyIdentity(secretParser.parse(readMaybeGzipped(file)), tools)
        const pod = pods.find(({ metadata }) => `${metadata.name}.${metadata.namespace}` === proxy)
        expect(one.spiffe).toMatchObject({
          namespace: pod.metadata.namespace,
          serviceAccount: pod.spec.serviceAccountName,
        })
        expect(chainValidity(one.chain, Date.parse(capturedAt)).state).toBe('valid')
        expect(one.roots.length).toBeGreaterThan(0)
        all.push(one)
      }
      identities += all.length
      for (const one of all) {
        expect(compareRoots(one, all[0]!).verdict).toBe('same')
        expect(trusts(one, all[0]!, tools)).toBe(true)
      }
    }
    expect(identities).toBeGreaterThan(0)
  })
})
