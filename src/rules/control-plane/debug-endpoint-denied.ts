import { fired, quiet } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { proxiesOnTheWay } from '../lib/sync-state.ts'
import { handOver } from '../lib/words.ts'

const denied = /\b40[13]\b|unauthor|forbidden|denied|unauthenticated/i

/** istiod does not tell us its view of the proxies: what is missing here is a permission, not a proxy. */
export default defineRule({
  code: 'debug-endpoint-denied',
  layer: 'observability',
  severity: 'info',
  explains: [],
  title: 'istiod does not answer questions about the proxies',
  why: 'Since 1.27 istiod’s debug endpoints want an authenticated caller of the right namespace. An empty or refused proxy-status is then about permission, and proves nothing about any proxy.',
  needs: [],
  check(situation) {
    const status = situation.proxyStatus
    const empty =
      status?.data.proxies.length === 0 && proxiesOnTheWay(situation).some(({ phase }) => phase === 'Running')
    const refused = situation
      .missing('mesh.proxyStatus')
      .find(({ detail, reason }) => denied.test(`${reason} ${detail}`))
    if (!empty && !refused) return quiet
    return fired(
      hit({
        subject: 'istiod',
        title: empty ? 'istiod lists no proxy at all, although proxies run' : 'istiod refused to list its proxies',
        statement: empty
          ? 'An empty list beside running proxies means that we may not see them, or asked another istiod.'
          : 'The sync state of the proxies was not told, so nothing is known about it.',
        certainty: empty ? 'likely' : 'proven',
        supporting: refused
          ? [quote(refused.id, 'what istioctl was answered', refused.detail)]
          : status
            ? [quote(status.entry, 'the list that istiod gave', 'no proxy')]
            : [],
        wouldDecide: empty
          ? {
              command: 'istioctl proxy-status --all-namespaces',
              why: 'asked with the credentials of an administrator, an answer means that only permission was missing',
            }
          : null,
        fix: handOver(
          'Ask with credentials that may read istiod’s debug endpoints; leave ENABLE_DEBUG_ENDPOINT_AUTH on.',
          'the person who asks',
        ),
        verify: { command: 'istioctl proxy-status', expect: 'the proxies that run' },
        about: 'aside',
      }),
    )
  },
})
