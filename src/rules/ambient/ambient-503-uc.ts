import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { relayedLines } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { quoteZtunnel, ztunnelErrors } from '../lib/ambient.ts'
import { failingLines } from '../lib/deciding-line.ts'
import { tryAgain } from '../lib/words.ts'

/** A gateway or waypoint loses the tunnel to an ambient pod, and the ztunnel at its end has nothing to report. */
export default defineRule({
  code: 'ambient-503-uc',
  layer: 'ambient-ztunnel',
  severity: 'warning',
  explains: ['503', 'reset'],
  title: 'The tunnel to an ambient pod was cut',
  why: 'Gateways and waypoints reach ambient pods through pooled tunnels. When the ztunnel at the other end is replaced, or a pooled tunnel is stale, the request in flight ends in 503 UC and no ztunnel logs an error for it.',
  needs: [['gateway.accessLog', 'waypoint.accessLog'], 'ztunnel.ztunnelLog'],
  yieldsTo: [
    'ambient-waypoint-identity',
    'ambient-ztunnel-down',
    'app-closes-connection',
    'uc-keepalive-race',
    'uc-pod-shutdown',
  ],
  applies: ({ gateway, waypoint }) => gateway !== null || waypoint !== null,
  check(situation) {
    const cut = failingLines(
      situation,
      ({ role, record }) =>
        (role === 'gateway' || role === 'waypoint') &&
        record.flags.includes('UC') &&
        /connect_originate/.test(record.upstreamHost ?? ''),
    )
    const last = cut.at(-1)
    if (!last) return quiet
    const [error] = [...ztunnelErrors(situation, /./), ...relayedLines(situation)].filter(
      ({ record }) => record.error !== null,
    )
    if (error)
      return ruledOut('ztunnel reports an error of its own for this call', quoteZtunnel(error, 'what ztunnel says'))
    return fired({
      subject: last.record.upstreamHost ?? 'the tunnel',
      title: `The tunnel to ${last.record.upstreamHost} was cut under ${cut.length === 1 ? 'a request' : `${cut.length} requests`}`,
      statement: `The ${last.role} logged 503 UC on ${last.record.upstreamHost}, the tunnel to an ambient pod, and no ztunnel on the way logged an error. A ztunnel that was replaced, or a pooled tunnel that had gone stale, fits; an application that closes connections does too.`,
      certainty: 'possible',
      supporting: [quoteLine(last, 'the tunnel ended before the answer')],
      contradicting: [],
      fix: {
        statement:
          'Let the caller retry requests that may be repeated, and compare the times of these lines with restarts of ztunnel; upgrade ztunnel where it happens without a restart.',
        commands: [`kubectl get pods -n ${situation.given.istioNamespace} -l app=ztunnel -o wide`],
        scope: 'requests through this tunnel',
        risk: 'retries repeat requests: only where that does no harm',
        undo: 'take the retry out again',
      },
      verify: tryAgain(situation, 'no new 503 UC on connect_originate'),
      wouldDecide: {
        command: `kubectl get pods -n ${situation.given.istioNamespace} -l app=ztunnel -o wide`,
        why: 'it shows when the ztunnel of that node started: at the time of these lines, that is the cause',
      },
      about: 'call',
    })
  },
})
