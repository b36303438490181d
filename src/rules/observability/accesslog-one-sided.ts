import { inboundCapture } from '../../mesh/traffic-capture.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quotePod, withoutProxy } from '../lib/pod-facts.ts'
import { destinationName } from '../lib/words.ts'

/** Lines on the caller's side and none at the destination: often by construction, and then no fault at all. */
export default defineRule({
  code: 'accesslog-one-sided',
  layer: 'observability',
  severity: 'info',
  explains: [],
  title: 'The destination’s side cannot log this call',
  why: 'A destination without a proxy, with the port excluded, or in the ambient mesh without a waypoint writes no access line. A missing line there is then no sign that the request got lost.',
  needs: ['server.config', ['client.accessLog', 'gateway.accessLog']],
  seeAlso: ['https://istio.io/latest/docs/tasks/observability/logs/access-log/'],
  applies: ({ server }) => !server.external && server.pod !== null,
  check(situation) {
    const { server, exchanges } = situation
    const pod = server.pod
    const front = exchanges.findLast(({ client, gateway }) => client ?? gateway)
    const line = front?.client ?? front?.gateway ?? null
    if (!pod || !line) return quiet
    const both = exchanges.find((exchange) => exchange.server)
    if (both?.server)
      return ruledOut(
        'the caller’s proxy and the destination’s both log this call',
        quoteLine(both.server, "the destination's line"),
      )
    const port = server.port?.containerPort ?? server.portNumber
    const capture = pod.hasEnvoy && port !== null ? inboundCapture(pod.annotations, port) : null
    const reason =
      pod.proxy === 'none'
        ? `${podLabel(pod)} has no proxy`
        : pod.proxy === 'ambient' && situation.waypoint === null
          ? `${podLabel(pod)} is in the ambient mesh without a waypoint: ztunnel logs connections, not requests`
          : capture && !capture.captured
            ? `annotation ${capture.annotation} keeps port ${port} away from the proxy of ${podLabel(pod)}`
            : null
    if (reason === null) return quiet
    return fired({
      subject: `Pod ${pod.namespace}/${pod.name}`,
      title: `Only the caller's side can log calls to ${destinationName(situation)}: ${reason}`,
      statement: `${reason}. That there is no line at the destination says nothing about this call.`,
      certainty: 'proven',
      supporting: [
        quoteLine(line, "the caller's side has a line"),
        pod.proxy === 'none'
          ? quotePod(pod, withoutProxy(pod))
          : quote(
              pod.entry,
              reason,
              capture?.annotation
                ? `${capture.annotation}: ${pod.annotations[capture.annotation] ?? ''}`
                : `proxy: ${pod.proxy}`,
            ),
      ],
      contradicting: [],
      fix: {
        statement:
          'Nothing has to change: read the line of the caller’s side, and the application’s own log, instead of waiting for a line at the destination.',
        commands: [],
        scope: 'reading logs',
        risk: 'none',
        undo: 'nothing to undo',
      },
      verify: {
        command: `kubectl logs -n ${pod.namespace} ${pod.name} --all-containers --tail=50`,
        expect: 'the application’s own lines for these requests',
      },
      wouldDecide: null,
      about: 'aside',
    })
  },
})
