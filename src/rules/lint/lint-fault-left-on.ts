import { lintRule } from './lint-rule.ts'

/** D17: fault injection that was left on. */
export default lintRule({
  code: 'lint-fault-left-on',
  layer: 'client-sidecar-routing',
  severity: 'warning',
  title: 'Fault injection is on',
  why: 'Delays and aborts of a test hit real callers as long as they stand in a VirtualService.',
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/fault-injection/'],
  find: ({ store }) =>
    store.list('VirtualService').flatMap((stored) => {
      const http: unknown = stored.object.spec?.http
      const routes = Array.isArray(http) ? http : []
      const faulty = routes.flatMap((route, index) =>
        route?.fault?.abort || route?.fault?.delay ? [{ index, name: route?.name, fault: route.fault }] : [],
      )
      if (faulty.length === 0) return []
      const said = faulty.map(({ index, name, fault }) => {
        const what = [
          fault.abort ? `abort ${fault.abort.httpStatus ?? fault.abort.grpcStatus ?? ''}` : '',
          fault.delay ? `delay ${fault.delay.fixedDelay ?? ''}` : '',
        ]
        return `route ${name ?? index}: ${what
          .filter((text) => text !== '')
          .join(' and ')
          .trim()}`
      })
      return {
        stored,
        message: `fault injection is on (${said.join('; ')})`,
        part: faulty,
        fix: 'Remove the fault block of these routes; leave the routes themselves as they are.',
      }
    }),
})
