import { expect, test } from 'vitest'
import { termsFrom } from '../../src/ui/view/terms.ts'

const screen = '503 UC upstream_reset_before_response_started\nthe waypoint has no route, NR\nPeerAuthentication STRICT'

test('what stands in the marked line comes first, a word of it even before codes of other lines', () => {
  expect(termsFrom('the waypoint', screen)[0]).toBe('waypoint')
  expect(termsFrom('the waypoint has no route, NR', screen).slice(0, 2)).toEqual(['NR', 'waypoint'])
})

test('everything else of the screen follows, each once', () => {
  const terms = termsFrom('a waypoint, NR', screen)
  expect(terms).toEqual(expect.arrayContaining(['503', 'UC', 'NR', 'waypoint']))
  expect(new Set(terms.map((term) => term.toLowerCase())).size).toBe(terms.length)
})
