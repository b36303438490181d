import type { Written } from '../../mesh/delegates.ts'
import { objectsIn, textsIn } from '../../mesh/loose-lists.ts'
import type { Hit } from '../../model/finding.ts'
import { pathOnly } from '../../situation/exchanges.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { routeOfCall } from './call-route.ts'
import { type FrontRole, refOf, storedOf } from './front.ts'
import { nameOfStored } from './gateways.ts'
import { editFix, hitOf } from './make-hit.ts'
import { tryAgain } from './words.ts'

/** A route of the VirtualService in force that fits this request and is never reached, because one before it takes all of its requests. */
export function shadowedRoutes(situation: Situation, role: FrontRole): readonly Hit[] {
  const taken = routeOfCall(situation, role)
  const stored = storedOf(situation, taken?.object ?? null)
  if (taken?.from !== 'proxy' || !stored || stored.object.kind !== 'VirtualService') return []
  const http = objectsIn(stored.object.spec?.http)
  const path = situation.given.path ?? situation.hints.path ?? null
  // Delegates bring routes of other objects, in an order of their own.
  if (http.some(({ delegate }) => delegate)) return []
  const lost = http.flatMap((route, at) => {
    const before = http.slice(0, at).findIndex((earlier) => covers(earlier, route) && !isSame(earlier, route))
    return before >= 0 && (path === null || fits(route, pathOnly(path))) ? [{ route, at, before }] : []
  })
  return lost.slice(0, 2).map(({ route, at, before }) => {
    const name = `VirtualService ${nameOfStored(stored)}`
    const isCertain =
      path !== null && lost.length === 1 && objectsIn(route.match).some((match) => isPathOnly(match) && match.uri)
    const show = `kubectl get virtualservices.networking.istio.io ${stored.object.metadata.name} -n ${stored.object.metadata.namespace ?? 'default'} -o yaml`
    const finding = situation.analyze.find(
      ({ code, origin }) => (code === 'IST0130' || code === 'IST0131') && origin?.name === stored.object.metadata.name,
    )
    return hitOf({
      subject: name,
      title: `Route ${at + 1} of ${name} ${path === null ? '' : `fits ${path} and `}is never reached: route ${before + 1} takes its requests first`,
      ...(role === 'client' ? { layer: 'client-sidecar-routing' as const } : {}),
      statement: `Routes are tried in order. Route ${before + 1} of ${name} takes ${wordsOf(http[before])}, and with it everything that route ${at + 1} wants (${wordsOf(route)}).`,
      certainty: isCertain ? 'proven' : 'likely',
      supporting: [
        quoteObject(
          stored,
          `routes of ${name} in their order`,
          http.map((one) => one.match ?? 'everything'),
        ),
        ...taken.quotes('the route that the call takes', { route: taken.object, clusters: taken.clusters }),
        ...(finding
          ? [quote(finding.entry, 'istioctl analyze says the same', `${finding.code} ${finding.message}`)]
          : []),
      ],
      fix: editFix(
        refOf(stored),
        `Move route ${at + 1} of ${name} before route ${before + 1}; leave both as they are.`,
        `requests that route ${at + 1} wants`,
        'they leave the way that they take today',
      ),
      verify: tryAgain(situation, 'the answer of where the moved route leads'),
      wouldDecide: isCertain ? null : { command: show, why: `whether route ${at + 1} is the change that was made` },
    })
  })
}

/** Whether whatever a route takes is taken by an earlier one already. */
function covers(earlier: Written, later: Written): boolean {
  const wide = objectsIn(earlier.match)
  if (wide.length === 0) return true
  const narrow = objectsIn(later.match)
  if (narrow.length === 0) return wide.some((match) => isPathOnly(match) && match.uri?.prefix === '/')
  return narrow.every((match) => wide.some((one) => coversMatch(one, match)))
}

function coversMatch(wide: Written, narrow: Written): boolean {
  const prefix: unknown = wide.uri?.prefix
  if (!isPathOnly(wide) || wide.ignoreUriCase === true) return false
  if (wide.uri === undefined || prefix === '/') return true
  const wanted: unknown = narrow.uri?.prefix ?? narrow.uri?.exact
  if (typeof wanted !== 'string' || narrow.ignoreUriCase === true) return false
  return typeof prefix === 'string' ? wanted.startsWith(prefix) : narrow.uri?.exact === wide.uri?.exact
}

/** Nothing but the path decides. */
function isPathOnly(match: Written): boolean {
  return Object.keys(match).every((key) => ['uri', 'name', 'ignoreUriCase'].includes(key))
}

function fits(route: Written, path: string): boolean {
  const matches = objectsIn(route.match)
  return (
    matches.length === 0 ||
    matches.some(({ uri, gateways }) => {
      if (textsIn(gateways).length > 0) return false
      if (typeof uri?.exact === 'string') return uri.exact === path
      if (typeof uri?.prefix === 'string') return path.startsWith(uri.prefix)
      return uri === undefined
    })
  )
}

/** Two routes that do the same: it does not matter which one takes the request. */
function isSame(one: Written, other: Written): boolean {
  const action = ({ match: _match, name: _name, ...rest }: Written) => JSON.stringify(rest)
  return action(one) === action(other)
}

function wordsOf(route: Written): string {
  const matches = objectsIn(route?.match)
  if (matches.length === 0) return 'every request'
  return matches
    .map((match) =>
      Object.entries(match)
        .filter(([key]) => key !== 'name')
        .map(([key, value]) => `${key} ${JSON.stringify(value).replace(/[{}"]/g, '').replaceAll(':', ' ')}`)
        .join(' and '),
    )
    .join(', or ')
}
