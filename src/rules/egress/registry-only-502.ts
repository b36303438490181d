import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { predictCall, routeOfCall } from '../lib/call-route.ts'
import { objectName } from '../lib/cluster.ts'
import { frontLines, frontName, frontWasSeen, quoteSign, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { hostVisibility, scopeOf } from '../lib/missing-cluster.ts'
import { isBlocked } from '../lib/registry-only.ts'
import { callerName, quoted, tryAgain } from '../lib/words.ts'

/** Only known destinations may be called, and this one is not known. */
export default defineRule({
  code: 'registry-only-502',
  layer: 'egress-policy',
  severity: 'error',
  explains: ['502', 'reset', 'tls', 'timeout'],
  title: 'The host is no known service, and only known ones may be called',
  why: 'With outboundTrafficPolicy REGISTRY_ONLY a proxy refuses every host that no Service and no ServiceEntry names: HTTP gets an empty 502, everything else is cut.',
  needs: [['client.accessLog', 'client.routes', 'client.listeners', 'client.config']],
  yieldsTo: ['nc-scoped-out', 'revision-or-discovery-filtered'],
  // What a sidecar may call says nothing about a call that comes in from outside.
  applies: ({ gateway }) => gateway === null,
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/'],
  check(situation) {
    const signs = frontLines(situation, isBlocked)
    if (signs.length > 0)
      return fired(
        blockedHit(
          situation,
          signs.map(({ line }) => line),
        ),
      )
    if (situation.failing.length > 0 || frontWasSeen(situation))
      return signMissing(situation, 'neither block_all nor BlackHoleCluster stands in a line')
    const trace = routeOfCall(situation, 'client')?.traced?.trace
    const predicted = trace ? null : predictCall(situation)
    const blocks =
      trace?.route === 'block_all' ||
      trace?.clusters.some(({ name }) => name === 'BlackHoleCluster') ||
      predicted?.route === 'block_all' ||
      predicted?.clusters.some(({ name }) => name === 'BlackHoleCluster')
    return blocks ? fired(blockedHit(situation, [])) : quiet
  },
})

function blockedHit(situation: Situation, lines: readonly Line[]): Hit {
  const host = hostOf(situation, lines)
  const scope = scopeOf(situation)
  const sidecar = scope?.object ?? null
  const stored = sidecar
    ? situation.store.get('Sidecar', sidecar.metadata.namespace ?? null, sidecar.metadata.name)
    : null
  const bySidecar = scope?.outboundTrafficPolicy === 'REGISTRY_ONLY'
  const byMesh = !bySidecar && situation.mesh.outboundTrafficPolicy === 'REGISTRY_ONLY'
  const where = bySidecar && sidecar ? objectName(sidecar) : byMesh ? 'the mesh configuration' : null
  const known = hostVisibility(situation, host)?.known ?? null
  const route = routeOfCall(situation, 'client')
  const namespace = situation.client.namespace ?? 'NAMESPACE'
  const port = situation.server.portNumber ?? 443
  const isTls = port === 443 || lines.some(({ record }) => record.upstreamCluster === 'BlackHoleCluster')
  const { pod } = situation.client
  return hitOf({
    subject: host,
    title: `${callerName(situation)} may only call known hosts, and ${host} is none`,
    statement: `${lines.length > 0 ? `${frontName(situation, 'client')} refused ${share(situation, lines)} to ${host}. ` : ''}${
      where
        ? `${where} sets outboundTrafficPolicy REGISTRY_ONLY`
        : 'Something sets outboundTrafficPolicy REGISTRY_ONLY for this proxy'
    }, and ${known ? `${objectName(known)} names the host but does not reach this proxy` : 'no ServiceEntry that was read names the host'}.`,
    certainty: lines.length > 0 ? 'proven' : 'likely',
    supporting: [
      ...quoteSign(situation, lines, 'the request was refused as one to an unknown host'),
      ...(bySidecar && stored
        ? [quoteObject(stored, `what ${where} says`, stored.object.spec?.outboundTrafficPolicy)]
        : []),
      ...(byMesh && situation.meshEntry
        ? [quote(situation.meshEntry, 'what the mesh configuration says', 'outboundTrafficPolicy: REGISTRY_ONLY')]
        : []),
      ...(route?.quotes('what the proxy does with hosts it does not know', {
        virtualHost: route.virtualHost,
        status: route.status,
      }) ?? []),
    ],
    fix: {
      statement: `If ${callerName(situation)} is meant to call ${host}, add one ServiceEntry for it in ${namespace}; keep REGISTRY_ONLY.`,
      commands: [`kubectl apply -f - <<<${quoted(JSON.stringify(serviceEntryFor(host, { namespace, port, isTls })))}`],
      scope: `callers in namespace ${namespace}, towards ${host} only`,
      risk: 'callers of that namespace may then reach this host',
      undo: `kubectl -n ${namespace} delete serviceentries.networking.istio.io ${entryName(host)}`,
    },
    verify: pod
      ? {
          command: `kubectl exec -n ${pod.namespace} ${pod.name} -- curl -s -o /dev/null -w '%{http_code}' ${quoted(`${isTls ? 'https' : 'http'}://${host}/`)}`,
          expect: 'an answer of the host itself',
        }
      : tryAgain(situation, 'an answer of the host itself'),
    wouldDecide:
      lines.length > 0
        ? null
        : {
            command: pod
              ? `kubectl logs ${pod.name} -n ${pod.namespace} -c istio-proxy`
              : "kubectl logs of the caller's proxy",
            why: 'a line with route block_all or BlackHoleCluster shows that this call is refused there',
          },
  })
}

function hostOf({ server, given }: Situation, lines: readonly Line[]): string {
  const seen = lines.at(-1)?.record
  return server.host ?? seen?.authority?.replace(/:\d+$/, '') ?? seen?.sni ?? given.to?.text ?? 'the host'
}

const entryName = (host: string) => host.replace(/[^a-z0-9-]+/gi, '-').toLowerCase()

/** The smallest one that makes the host known to callers of this namespace, and to nobody else. */
function serviceEntryFor(host: string, of: { namespace: string; port: number | string; isTls: boolean }) {
  const { namespace, port, isTls } = of
  const protocol = isTls ? 'TLS' : 'HTTP'
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: entryName(host), namespace },
    spec: {
      hosts: [host],
      exportTo: ['.'],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: port, name: protocol.toLowerCase(), protocol }],
    },
  }
}
