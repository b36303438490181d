import { durationMs } from '../lib/durations.ts'
import { lintRule } from './lint-rule.ts'

/** After these the request may already have been carried out. */
const mayHaveRun = /(?:^|,)\s*(?:5xx|reset|gateway-error|retriable-4xx|503|502|504|500)\s*(?:,|$)/
const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** D18: retries that repeat what must not be repeated, or that the timeout never lets run. */
export default lintRule({
  code: 'lint-unsafe-retries',
  layer: 'client-sidecar-routing',
  severity: 'warning',
  title: 'Retries of requests that must not run twice, or that time out first',
  why: 'A retry after an error of the server repeats a request that may have been carried out: a POST is then done twice. And tries that together take longer than the route’s timeout never all happen.',
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry'],
  find: ({ store }) =>
    store.list('VirtualService').flatMap((stored) => {
      const http: unknown = stored.object.spec?.http
      const routes: readonly Route[] = Array.isArray(http) ? http : []
      const said = routes.flatMap((route, index) => trouble(route, index))
      const [first] = said
      return first
        ? {
            stored,
            message: said.map(({ message }) => message).join('; '),
            part: routes.map(({ retries, timeout }) => ({ retries, timeout })),
            fix: first.fix,
          }
        : []
    }),
})

interface Route {
  readonly name?: string
  readonly match?: readonly { readonly method?: { readonly exact?: string } }[]
  readonly timeout?: string
  readonly retries?: { readonly attempts?: number; readonly perTryTimeout?: string; readonly retryOn?: string }
}

function trouble(route: Route, index: number): { message: string; fix: string }[] {
  const { retries } = route
  const attempts = retries?.attempts ?? 0
  if (!retries || attempts <= 0) return []
  const name = `route ${route.name ?? index}`
  const methods = route.match?.map((match) => match?.method?.exact ?? null) ?? []
  const onlySafe = methods.length > 0 && methods.every((method) => method !== null && safe.has(method))
  const [perTry, timeout] = [durationMs(retries.perTryTimeout), durationMs(route.timeout)]
  return [
    ...(!onlySafe && mayHaveRun.test(retries.retryOn ?? '')
      ? [
          {
            message: `${name} repeats requests of any method up to ${attempts} times on ${retries.retryOn}`,
            fix: 'Match the methods that may be repeated (GET, HEAD) in a route of their own, and retry others on connect-failure and refused-stream only.',
          },
        ]
      : []),
    ...(perTry !== null && timeout !== null && timeout > 0 && perTry * (attempts + 1) > timeout
      ? [
          {
            message: `${name} allows ${attempts + 1} tries of ${retries.perTryTimeout}, and ends them all after ${route.timeout}`,
            fix: `Lower perTryTimeout or attempts so that all tries fit into ${route.timeout}.`,
          },
        ]
      : []),
  ]
}
