import { objectText } from '../../mesh/config-object.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type CallRoute, routeOfCall } from '../lib/call-route.ts'
import { clusterFacts, objectName, refOfObject, unseenRulesFor } from '../lib/cluster.ts'
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
  explains: ['503', '502', '404', 'reset', 'tls', 'not-applied'],
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
    if (situation.symptom === 'not-applied' && signs.length === 0) {
      const unseen = unseenRule(situation, hidden)
      return unseen ? fired(unseen) : quiet
    }
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

/** A change that reaches nobody here: a DestinationRule that the caller's proxy does not get, or a host that it is not shown. */
function unseenRule(situation: Situation, hidden: Hidden | null): Hit | null {
  const host = situation.server.host ?? ''
  const [rule] = unseenRulesFor(situation, host)
  const lost: Hidden | null = rule
    ? {
        what: objectName(rule.object),
        by: rule.object,
        why: rule.why,
        part: { host: rule.object.spec?.host, exportTo: rule.object.spec?.exportTo },
        change: `Let ${objectName(rule.object)} reach ${senderName(situation)}: ${rule.object.metadata.namespace === situation.server.namespace ? `let its exportTo name ${situation.client.namespace ?? 'the caller’s namespace'}` : `move it to ${situation.server.namespace ?? 'the namespace of the Service'}`}; keep its trafficPolicy and subsets.`,
      }
    : hidden
  if (!lost || (!rule && situation.exchanges.some(({ client }) => client?.record.upstreamCluster?.includes(host))))
    return null
  const step = clusterFacts(
    situation,
    `outbound|${situation.server.portNumber ?? 0}||${host}`,
    routeOfCall(situation, 'client'),
  )
  const stored = situation.store.get(lost.by.kind, lost.by.metadata.namespace ?? null, lost.by.metadata.name)
  const clusters = `istioctl proxy-config clusters ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} --fqdn ${host}`
  // A rule of a third namespace may be meant for callers there.
  const isOfServer = lost.by.metadata.namespace === situation.server.namespace
  const isProven = rule !== undefined && isOfServer && step.exists === true && step.object === null
  return hitOf({
    subject: objectName(lost.by),
    title: rule
      ? `${lost.what} does not count for ${senderName(situation)}`
      : `${senderName(situation)} is not shown ${lost.what}`,
    statement: `${lost.what} is about ${destinationName(situation)}, and ${lost.why}. ${rule ? 'No other DestinationRule names the host, so none applies to this call.' : 'What is said about it does not reach this caller.'}`,
    certainty: isProven ? 'proven' : 'likely',
    supporting: [
      ...(stored ? [quoteObject(stored, 'what decides who is shown it', lost.part)] : []),
      ...step.quotes(
        'the cluster of this call, without a DestinationRule',
        { destinationRule: step.object },
        () => undefined,
      ),
    ],
    fix: editFix(
      refOfObject(lost.by),
      lost.change,
      `callers in ${situation.client.namespace ?? 'the namespace of the caller'}`,
      'what it says takes effect there at once',
    ),
    verify: { command: clusters, expect: `${rule?.object.metadata.name ?? host} in the column DESTINATION RULE` },
    wouldDecide: isProven ? null : { command: clusters, why: 'the column DESTINATION RULE shows what the proxy has' },
  })
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
