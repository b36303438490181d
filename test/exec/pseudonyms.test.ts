import { expect, test } from 'vitest'
import { createPseudonyms } from '../../src/exec/pseudonyms.ts'

test('what is the same stays the same, and can be found again by who has the map', () => {
  const names = createPseudonyms('salt')
  const pod = names.of('pod', 'web-1')
  expect(pod).toMatch(/^pod-[0-9a-f]{10}$/)
  expect(names.text('web-1.shop at 10.1.2.3:8080, again 10.1.2.3')).toMatch(
    new RegExp(`^${pod}\\.shop at (ip-\\w{10}):8080, again \\1$`),
  )
  expect(names.reverse().get(pod)).toBe('web-1')
})

test('two sessions cannot be joined', () => {
  expect(createPseudonyms('a').of('host', 'ledger.pay')).not.toBe(createPseudonyms('b').of('host', 'ledger.pay'))
})

test('the longer name wins, and parts of names are left alone', () => {
  const names = createPseudonyms('s')
  const [web, canary] = [names.of('name', 'web'), names.of('name', 'web-canary')]
  expect(names.text('web web-canary web-other webhook')).toBe(`${web} ${canary} web-other webhook`)
})

test('addresses of both families; those that belong to nobody, versions and times stay', () => {
  const names = createPseudonyms('s')
  expect(names.text('fd00::1 and 2001:db8:0:0:0:0:0:1')).toMatch(/^ip-\w{10} and ip-\w{10}$/)
  for (const text of ['0.0.0.0:15006', '127.0.0.1', '::1', '12:30:59', '1.30.3', '10.1.2.3.4', 'a::b::c x'])
    expect(names.text(text)).toBe(text)
})

test('twice is once', () => {
  const names = createPseudonyms('s')
  names.of('ns', 'shop')
  const once = names.text('shop 10.0.0.1')
  expect(names.text(once)).toBe(once)
})
