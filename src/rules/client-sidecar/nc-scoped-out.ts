import { objectText } from '../../mesh/config-object.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type CallRoute, routeOfCall } from '../lib/call-route.ts'
import { objectName, refOfObject } from '../lib/cluster.ts'
import { type FrontLine, type FrontRole, frontLines, frontName, frontRole, quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { hostVisibility, missingClusters } from '../lib/missing-cluster.ts'
import { isBlocked } from '../lib/registry-only.ts'
import { dialsService, isPassedThrough, refusedPlaintext, transportOf } from '../lib/transport.ts'
import { destinationName, senderName, tryAgain } from '../lib/words.ts'
import { isNotFound } from './nc-subset-undefined.ts'

/** The destination exists, and this caller's proxy was not told of it. */
export default defineRule({
  code: 'nc-scoped-out',
  layer: 'client-sidecar-cluster',
  severity: 'error',
  explains: ['503', '502', '404', 'reset', 'tls'],
  title: 'The caller’s proxy is not shown the destination',
  why: 'A Sidecar, exportTo, or the namespace a DestinationRule lives in decide what a proxy gets to know. What it does not know it cannot reach, although the same call works from another namespace.',
  needs: [['client.accessLog', 'gateway.accessLog', 'client.routes', 'gateway.routes']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/sidecar/'],
  check(situation) {
    const unknown = frontLines(situation, (line) => isNotFound(line) || isBlocked(line))
    const signs = unknown.length > 0 ? unknown : passedInPlaintext(situation)
    const role = signs.at(-1)?.role ?? frontRole(situation)
    const route = routeOfCall(situation, role)
    const hidden = hiddenBy(situation, route)
    if (signs.length === 0)
      return situation.failing.length > 0 || !hidden
        ? signMissing(situation, 'no line says that the proxy does not know the destination')
        : quiet
    return hidden ? fired(scopedHit(situation, { role, route, hidden, lines: signs.map(({ line }) => line) })) : quiet
  },
})

/** An address of the Service that the proxy does not know: it passes the bytes on as they are, and STRICT refuses them. */
function passedInPlaintext(situation: Situation): readonly FrontLine[] {
  return frontLines(situation, isPassedThrough).filter(
    ({ line, exchange }) =>
      dialsService(situation, line) &&
      (refusedPlaintext(exchange.server) || transportOf(situation, exchange)?.accepts?.mode === 'STRICT'),
  )
}

interface Hidden {
  readonly what: string
  /** The object to change. */
  readonly by: Parameters<typeof refOfObject>[0]
  readonly why: string
  readonly part: unknown
  readonly change: string
}

function hiddenBy(situation: Situation, route: CallRoute | null): Hidden | null {
  for (const { parsed, why } of missingClusters(situation, route)) {
    if (why.kind === 'rule-hidden')
      return {
        what: `subset ${parsed.subset} of ${parsed.host}`,
        by: why.rule,
        why: `${objectName(why.rule)} defines it, and does not count here: ${why.why}`,
        part: { host: why.rule.spec?.host, exportTo: why.rule.spec?.exportTo, subsets: why.rule.spec?.subsets },
        change: `Define subset ${parsed.subset} in the DestinationRule that counts for ${senderName(situation)}, or move it to the namespace of the Service and remove the rule that hides it; keep its trafficPolicy.`,
      }
    if (why.kind === 'host-hidden') return hostHidden(parsed.host, why.by ?? why.service, why.why, why.by !== null)
  }
  const { host } = situation.server
  const visibility =
    host && (situation.server.service || situation.server.external) ? hostVisibility(situation, host) : null
  return visibility?.known && !visibility.visible
    ? hostHidden(host ?? '', visibility.by ?? visibility.known, visibility.why, visibility.by !== null)
    : null
}

function hostHidden(host: string, by: Hidden['by'], why: string, isSidecar: boolean): Hidden {
  return {
    what: host,
    by,
    why: `it exists, and ${why}`,
    part: isSidecar
      ? by.spec?.egress
      : { exportTo: by.spec?.exportTo ?? by.metadata.annotations?.['networking.istio.io/exportTo'] },
    change: isSidecar
      ? `Add ${host.split('.')[1] ?? '*'}/${host} to egress.hosts of ${objectName(by)}; keep the hosts that are listed.`
      : `Let exportTo of ${objectName(by)} name the caller's namespace; keep the namespaces that are listed.`,
  }
}

interface Found {
  readonly role: FrontRole
  readonly route: CallRoute | null
  readonly hidden: Hidden
  readonly lines: readonly Line[]
}

function scopedHit(situation: Situation, { role, route, hidden, lines }: Found): Hit {
  const stored = situation.store.get(hidden.by.kind, hidden.by.metadata.namespace ?? null, hidden.by.metadata.name)
  const owner = route?.object ? ` of ${objectText(route.object)}` : ''
  const isPassed = lines.some(isPassedThrough)
  const did = isPassed
    ? `passed ${share(situation, lines)} to ${destinationName(situation)} on in plaintext (PassthroughCluster), which STRICT refuses. It needs ${hidden.what}`
    : `did not know where to send ${share(situation, lines)} to ${destinationName(situation)}. Its route${owner} needs ${hidden.what}`
  return hitOf({
    subject: objectName(hidden.by),
    title: `${senderName(situation)} is not shown ${hidden.what}`,
    statement: `${frontName(situation, role)} ${did}: ${hidden.why}.`,
    certainty: 'proven',
    supporting: [
      ...quoteSign(situation, lines, `${frontName(situation, role)} does not know the destination`),
      ...(stored ? [quoteObject(stored, `what ${objectName(hidden.by)} says`, hidden.part)] : []),
      ...(route?.quotes('the route that this request takes', { clusters: route.clusters, status: route.status }) ?? []),
    ],
    fix: editFix(
      refOfObject(hidden.by),
      hidden.change,
      `proxies that ${objectName(hidden.by)} counts for`,
      'the proxies get to know one more destination, and may call it',
    ),
    verify: tryAgain(situation, 'an answer of the destination'),
  })
}
