import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { frontLines, frontName, quoteSign, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The caller's proxy routes by Host header, and the header names nobody that it knows on this port. */
export default defineRule({
  code: 'sidecar-host-header-no-vhost',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['404'],
  title: 'The Host header names no service that the caller’s proxy knows',
  why: 'For HTTP the proxy looks at the Host header, not at the address that was dialled. A header that fits no service of that port finds no route.',
  needs: ['client.accessLog', ['client.routes', 'client.config', 'server.config']],
  applies: ({ gateway }) => gateway === null,
  check(situation) {
    const signs = frontLines(situation, ({ record }) => record.details === 'route_not_found').filter(
      ({ role }) => role === 'client',
    )
    const last = signs.at(-1)
    if (!last) return signMissing(situation, "the caller's proxy did not lack a route")
    const route = routeOfCall(situation, 'client')
    // A virtual host without a fitting route is about paths.
    if (route?.virtualHost) return signMissing(situation, `virtual host ${route.virtualHost} takes this Host header`)
    if (!route) return quiet
    const authority = last.line.record.authority ?? situation.given.host ?? ''
    const seen = route.from === 'proxy'
    return fired(
      hitOf({
        subject: authority,
        title: `${callerName(situation)} sends Host ${authority}, which is no name of ${destinationName(situation)}`,
        statement: `${frontName(situation, 'client')} found no virtual host for ${authority} in ${share(situation, signs)}; the request never left the pod.`,
        certainty: seen ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            'no route for this Host header',
          ),
          ...route.quotes('what the proxy looked at', { authority, virtualHost: null }),
        ],
        fix: handOver(
          `Let the caller use the name of the Service as Host header, or give ${authority} a VirtualService or ServiceEntry that counts inside the mesh.`,
          callerName(situation),
        ),
        verify: tryAgain(situation, 'no 404 NR in the new line'),
        wouldDecide: seen
          ? null
          : {
              command: `istioctl proxy-config routes ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} -o json`,
              why: 'the domains of its virtual hosts show which names it takes',
            },
      }),
    )
  },
})
