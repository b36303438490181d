import { fired, type Hit, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { portOf } from '../../situation/hints.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { stopsBeforeApplication } from '../lib/behind-failure.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { type ClusterFacts, clusterFacts, clusterOfLine } from '../lib/cluster.ts'
import { clusterIdOf, hasOtherClusters } from '../lib/clusters-of-mesh.ts'
import { type EndpointLoss, noSuchPort, whyNoEndpoints } from '../lib/endpoint-loss.ts'
import { type FrontRole, frontLines, frontName, frontRole, quotePassing, quoteSign, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { subsetLabels } from '../lib/subsets.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The destination is known, and behind its name stands no pod that takes traffic. */
export default defineRule({
  code: 'uh-no-endpoints',
  layer: 'kubernetes-endpoints',
  severity: 'error',
  explains: ['503', 'reset', 'timeout'],
  title: 'The Service has no ready endpoint',
  why: 'A Service without a ready pod behind it gives the proxies nothing to send requests to, so they answer 503 themselves.',
  needs: [
    [
      'client.accessLog',
      'gateway.accessLog',
      'waypoint.accessLog',
      'client.endpoints',
      'gateway.endpoints',
      'ztunnel.ztunnelLog',
      'server.config',
    ],
  ],
  yieldsTo: ['ambient-waypoint-down', 'serviceentry-dns-503'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const signs = frontLines(situation, noUpstream)
    const last = signs.at(-1)
    if (!last) return fromZtunnel(situation) ?? fromConfiguration(situation)
    const route = routeOfCall(situation, last.role)
    const cluster = clusterOfLine(situation, last.line, route)
    if (!cluster || cluster.parsed.role === 'black-hole')
      return signMissing(situation, 'the lines name BlackHoleCluster: that is egress policy')
    const held = cluster.endpoints ?? []
    if (held.some(({ ejected }) => ejected === true))
      return ruledOut('the endpoints are there and ejected', ...cluster.quoteEndpoints('ejected endpoints'))
    const loss = lossOf(situation, cluster)
    // The Service has pods, and the subset has none: that is another story.
    if (cluster.parsed.subset !== '' && !loss)
      return signMissing(situation, `the cluster without an endpoint is that of subset ${cluster.parsed.subset}`)
    return fired(endpointHit(situation, { role: last.role, lines: signs.map(({ line }) => line), cluster, loss }))
  },
})

function noUpstream({ record }: Line): boolean {
  return (
    (record.flags.includes('UH') || record.details === 'no_healthy_upstream') &&
    record.upstreamCluster !== 'BlackHoleCluster'
  )
}

function lossOf(situation: Situation, { parsed }: ClusterFacts): EndpointLoss | null {
  const { server } = situation
  const host = parsed.host || server.host
  return host
    ? whyNoEndpoints(situation, host, parsed.port ?? server.portNumber, subsetLabels(situation, parsed))
    : null
}

/** Ambient: the caller's ztunnel picks the pod, and says that there is none. */
function fromZtunnel(situation: Situation): RuleOutcome | null {
  const refusal = ztunnelOfCall(situation).findLast(({ record }) => /no healthy upstream/.test(record.error ?? ''))
  const host = situation.server.host
  if (!refusal || !host) return null
  const { record, entry } = refusal
  const dialled = portOf(record.dstAddress)
  const loss =
    (dialled === null ? null : noSuchPort(situation, dialled)) ??
    whyNoEndpoints(situation, host, situation.server.portNumber)
  return fired(
    endpointHit(situation, {
      role: 'client',
      lines: [],
      cluster: null,
      loss,
      said: quote(entry, "the caller's ztunnel found no pod", record.raw, record.line),
    }),
  )
}

/** No line: what the proxy holds for this call. */
function fromConfiguration(situation: Situation): RuleOutcome {
  if (situation.failing.length > 0)
    return behindFailure(situation) ?? signMissing(situation, 'no line says that there was no healthy endpoint')
  if (situation.symptom !== '503' || situation.exchanges.length > 0) return quiet
  const role = frontRole(situation)
  const route = routeOfCall(situation, role)
  const dead = route?.clusters
    .map(({ name }) => clusterFacts(situation, name, route))
    .find(({ endpoints }) => endpoints?.length === 0)
  const loss = dead ? lossOf(situation, dead) : null
  if (!route?.traced) return fromObjects(situation, role)
  return dead && loss ? fired(endpointHit(situation, { role, lines: [], cluster: dead, loss })) : quiet
}

/** The request ends before an endpoint is chosen, and there would be none to choose. */
function behindFailure(situation: Situation): RuleOutcome | null {
  const { server, failing } = situation
  const chosen = failing.some(({ client, gateway, waypoint }) => (waypoint ?? gateway ?? client)?.record.upstreamHost)
  if (chosen || server.host === null || !stopsBeforeApplication(situation)) return null
  const loss = whyNoEndpoints(situation, server.host, server.portNumber)
  if (!loss || loss.kind === 'no-service') return null
  return fired({
    ...endpointHit(situation, { role: frontRole(situation), lines: [], cluster: null, loss }),
    about: 'next',
  })
}

/** Neither lines nor the proxy's endpoints: a Service without a ready pod speaks for itself. */
function fromObjects(situation: Situation, role: FrontRole): RuleOutcome {
  const { host, portNumber } = situation.server
  const loss = host ? whyNoEndpoints(situation, host, portNumber) : null
  return loss && loss.kind !== 'no-service'
    ? fired(endpointHit(situation, { role, lines: [], cluster: null, loss }))
    : quiet
}

interface Found {
  readonly role: FrontRole
  readonly lines: readonly Line[]
  readonly cluster: ClusterFacts | null
  readonly loss: EndpointLoss | null
  readonly said?: Hit['supporting'][number]
}

function endpointHit(situation: Situation, { role, lines, cluster, loss, said }: Found): Hit {
  const destination = destinationName(situation)
  const name = frontName(situation, role)
  const hasSign = lines.length > 0 || said !== undefined
  // Somebody else's "empty now" is not enough: the objects or the proxy's own endpoints must agree with the line.
  const agrees = loss !== null || cluster?.endpoints?.length === 0
  // A selector that fits nobody here is right where the pods live in another cluster.
  const proxy = lines.at(-1)?.pod ?? situation.client.pod
  const elsewhere = loss?.kind === 'no-selector-match' && hasOtherClusters(situation, proxy ? clusterIdOf(proxy) : null)
  const isDecided = hasSign && agrees && !elsewhere
  return hitOf({
    subject: destination,
    title: loss
      ? `Nothing takes the traffic of ${destination}: ${loss.text}`
      : `${name} found no endpoint of ${destination}`,
    statement: `${hasSign ? `${said ? "The caller's ztunnel" : name} had nowhere to send ${said ? 'the connection' : share(situation, lines)}. ` : ''}${
      loss
        ? `${loss.text.charAt(0).toUpperCase()}${loss.text.slice(1)}.`
        : 'Why its endpoints were missing at that moment could not be read; now they may be back.'
    }`,
    certainty: isDecided ? 'proven' : 'likely',
    supporting: [
      ...quoteSign(situation, lines, `${name} found no healthy endpoint`),
      ...(said ? [said] : []),
      ...(cluster?.quoteEndpoints(`${name} holds ${cluster.endpoints?.length ?? 0} endpoints for it`) ?? []),
      ...(loss?.quotes ?? []),
      ...quotePassing(situation, role),
    ],
    fix:
      loss?.fix ??
      handOver('Find out why the pods were not ready at that time: restarts, rollouts, probes.', destination),
    verify: tryAgain(situation, 'an answer of the application, and no UH in the new line'),
    wouldDecide: isDecided
      ? null
      : elsewhere
        ? {
            command: 'istioctl remote-clusters',
            why: 'whether istiod reads another cluster, where the pods of this Service may be',
          }
        : {
            command: `kubectl get endpointslices.discovery.k8s.io -n ${situation.server.namespace ?? 'NAMESPACE'} -o wide`,
            why: 'it shows whether ready pods stand behind the Service',
          },
  })
}
