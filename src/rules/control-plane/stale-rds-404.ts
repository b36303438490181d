import { fired, quiet, type RuleOutcome } from '../../model/finding.ts'
import { type Line, pathOnly } from '../../situation/exchanges.ts'
import { deploymentOf } from '../../situation/gateway.ts'
import { quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { failingLines } from '../lib/deciding-line.ts'
import { hit } from '../lib/hit.ts'
import { proxyId, quoteStates, rejectionsOf, typesIn } from '../lib/sync-state.ts'
import { tryAgain } from '../lib/words.ts'

/** One proxy has no route, because it has not taken the last push; others answer. */
export default defineRule({
  code: 'stale-rds-404',
  layer: 'control-plane-xds',
  severity: 'error',
  explains: ['404'],
  title: 'A proxy answers 404 from old routes',
  why: 'A replica that rejected the last push of routes or listeners, or never answered it, goes on with the old ones. The same request passes at the other replicas.',
  needs: ['mesh.proxyStatus', ['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  check(situation) {
    const lines = failingLines(
      situation,
      ({ record, role }) => role !== 'server' && record.details === 'route_not_found',
    )
    const line = lines.findLast(({ pod }) => pod !== null && stateOf(pod) !== null)
    function stateOf(pod: NonNullable<(typeof lines)[number]['pod']>) {
      const states = [typesIn(situation, pod, 'STALE'), typesIn(situation, pod, 'ERROR')]
      return states.find((one) => one?.names.some((name) => name === 'RDS' || name === 'LDS')) ?? null
    }
    if (!line?.pod) return behindOthers(situation, lines.at(-1) ?? null)
    const { pod } = line
    const id = proxyId(pod)
    const bad = stateOf(pod)
    const rejected = rejectionsOf(situation, pod).length > 0 || typesIn(situation, pod, 'ERROR') !== null
    const elsewhere = situation.passing.find(({ client, gateway }) => {
      const front = client ?? gateway
      return front?.pod !== null && front?.pod !== undefined && front.pod !== pod
    })
    const other = elsewhere?.client ?? elsewhere?.gateway
    const states = quoteStates(situation, pod, `${id} has not taken ${bad?.names.join(', ')}`)
    return fired(
      hit({
        subject: id,
        title: `${id} answers 404 from routes it had before: ${bad?.names.join(', ')} ${rejected ? 'rejected' : 'not taken up'}`,
        statement: `${id} found no route, and istiod says that it has not taken up the last ${bad?.names.join(', ')}.${other ? ' Another replica answers the same request.' : ''}`,
        certainty: other ? 'proven' : 'likely',
        supporting: [
          quoteLine(line, 'no route at this proxy'),
          ...(states ? [states] : []),
          ...(other
            ? [quoteLine(other, `${other.pod ? proxyId(other.pod) : 'another replica'} answers the same request`)]
            : []),
        ],
        wouldDecide: other
          ? null
          : {
              command: `istioctl proxy-status ${id}`,
              why: 'a difference in its routes proves that it holds older ones; none, that they are current',
            },
        fix: {
          statement: rejected
            ? `Correct the object that ${id} rejects, which istiod's log names after ACK ERROR; do not restart it, it would lose what it has.`
            : `Find out what keeps ${id} from istiod; when the way is clear, restart this one pod.`,
          commands: rejected
            ? [`kubectl logs -n ${situation.given.istioNamespace} deploy/istiod | grep "ACK ERROR"`]
            : [`kubectl delete pod -n ${pod.namespace} ${pod.name}`],
          scope: 'this one proxy',
          risk: rejected ? 'all changes that waited take effect at the same time' : 'requests in flight are lost',
          undo: 'nothing to undo',
        },
        verify: tryAgain(situation, 'no 404, also when repeated often enough to meet every replica'),
      }),
    )
  },
})

/** istiod thinks well of it, and yet another replica has a route for the very same request. */
function behindOthers(situation: Situation, line: Line | null): RuleOutcome {
  const pod = line?.pod
  if (!line || !pod) return quiet
  const other = situation.passing
    .map(({ client, gateway, waypoint }) => client ?? gateway ?? waypoint)
    .find(
      (passed) =>
        passed?.pod &&
        passed.pod.name !== pod.name &&
        deploymentOf(passed.pod) === deploymentOf(pod) &&
        passed.record.method === line.record.method &&
        passed.record.authority === line.record.authority &&
        pathOnly(passed.record.path ?? '') === pathOnly(line.record.path ?? ''),
    )
  const again = situation.passing.some(({ client, gateway }) => (client ?? gateway)?.pod?.name === pod.name)
  if (!other?.pod || again) return quiet
  const id = proxyId(pod)
  return fired(
    hit({
      subject: id,
      title: `${id} has no route for a request that ${proxyId(other.pod)} passes on: it holds other routes`,
      statement: `Both are replicas of one deployment and should hold the same routes. ${id} answers 404 route_not_found, ${proxyId(other.pod)} answers ${other.record.code} for the same host and path.`,
      certainty: 'likely',
      supporting: [quoteLine(line, 'no route at this proxy'), quoteLine(other, 'the same request at another replica')],
      wouldDecide: {
        command: `istioctl proxy-status ${id}`,
        why: 'a difference in its routes proves that it holds older ones; none, that they are current',
      },
      fix: {
        statement: `If its routes differ from those of istiod, find out what keeps ${id} from istiod; when the way is clear, restart this one pod.`,
        commands: [`kubectl delete pod -n ${pod.namespace} ${pod.name}`],
        scope: 'this one proxy',
        risk: 'requests in flight are lost',
        undo: 'nothing to undo',
      },
      verify: tryAgain(situation, 'no 404, also when repeated often enough to meet every replica'),
    }),
  )
}
