import { lineVerdict } from '../../mesh/line-writer.ts'
import { blind, fired, type Hit, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { relayedLines } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { atZtunnel, quoteZtunnel } from '../lib/ambient.ts'
import { frontLines } from '../lib/front.ts'
import { waypointFix } from '../lib/waypoint-fix.ts'
import { type WaypointRefusal, waypointRefusal } from '../lib/waypoint-refusal.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const rejection = /policy rejection/

/** Behind a waypoint the destination's ztunnel sees the waypoint's identity, not the caller's. */
export default defineRule({
  code: 'ambient-waypoint-identity',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['503', 'reset', '403', 'timeout', 'unknown'],
  title: 'A policy at ztunnel names the caller, but sees the waypoint',
  why: 'With a waypoint in between, the connection that reaches the pod is the waypoint’s own. A policy attached by selector is enforced at ztunnel and meets the waypoint’s service account, which it does not allow.',
  needs: [['ztunnel.ztunnelLog', 'server.config']],
  yieldsTo: ['ambient-l7-allow-without-waypoint'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/l7-features/'],
  applies: ({ waypoint }) => waypoint !== null,
  check(situation) {
    const { waypoint, server } = situation
    const toServer = relayedLines(situation)
    const refused = toServer.filter(({ record }) => rejection.test(record.error ?? ''))
    const last = refused.at(-1)
    const newest = toServer.at(-1)
    // Let in since: what it was refused for then is over.
    if (newest && newest.record.error === null)
      return ruledOut('the waypoint is let in', quoteZtunnel(newest, 'ztunnel carried the waypoint’s connection'))
    if (!last) return untold(situation)
    const pod = server.pod
    const policies = pod ? atZtunnel(situation, pod) : []
    const named = /explicitly denied by: (\S+)/.exec(last.record.error ?? '')?.[1]
    const policy =
      policies.find(({ considered }) => considered.policy === named) ??
      policies.find(({ considered }) => considered.action === 'ALLOW')
    const object = policy ? `AuthorizationPolicy ${policy.considered.policy}` : 'a policy at ztunnel'
    return fired({
      subject: object,
      title: `${object} refuses the waypoint ${waypoint?.namespace}/${waypoint?.name}, through which calls to ${destinationName(situation)} come`,
      statement: `The destination's ztunnel sees ${last.record.srcIdentity}, the waypoint, as the caller and refuses it: ${last.record.error}. ${object} attaches by selector, so it is enforced there and never meets the real caller.`,
      certainty: 'proven',
      supporting: [
        quoteZtunnel(last, `ztunnel refused the waypoint (${refused.length} times)`),
        ...(policy
          ? [quoteObject(policy.stored, `what ${policy.considered.policy} says`, policy.stored.object.spec)]
          : []),
      ],
      contradicting: [],
      fix: policy
        ? waypointFix(situation, policy.stored)
        : {
            statement: 'Attach the policy to the Service with targetRefs, or allow the waypoint’s identity in it.',
            commands: [],
            scope: `callers of ${destinationName(situation)}`,
            risk: 'allowing the waypoint alone lets in everybody the waypoint lets through',
            undo: 'put the selector back',
          },
      verify: tryAgain(situation, 'an answer, and no policy rejection in the log of ztunnel'),
      wouldDecide: null,
      about: answeredBefore(situation) ? 'next' : 'call',
    })
  },
})

/** No line of ztunnel shows the waypoint's connection: it could not be read, or no waypoint is there to connect. */
function untold(situation: Situation): RuleOutcome {
  const { waypoint } = situation
  const isDown = waypoint?.pods.every(({ ready }) => !ready) === true
  const isUnread = situation.missing('ztunnel.ztunnelLog').length > 0
  if (!isDown && !isUnread) return quiet
  const judged = waypointRefusal(situation)
  if (judged && isDown) return fired(evaluated(situation, judged, 'next', []))
  const cut = frontLines(
    situation,
    ({ role, record }) =>
      role === 'waypoint' &&
      record.flags.includes('UC') &&
      /connection_termination/.test(record.details ?? '') &&
      /^envoy:\/\//.test(record.upstreamHost ?? ''),
  )
  const last = cut.at(-1)
  if (judged && last)
    return fired(
      evaluated(situation, judged, 'call', [
        quoteLine(last.line, `the waypoint's tunnel to the pod was closed (${cut.length} times)`),
      ]),
    )
  return isUnread ? blind(['ztunnel.ztunnelLog']) : quiet
}

function evaluated(
  situation: Situation,
  { policy, identity, decision }: WaypointRefusal,
  about: 'call' | 'next',
  seen: Hit['supporting'],
): Hit {
  const { namespace, name } = policy.object.metadata
  const object = `AuthorizationPolicy ${namespace}/${name}`
  const why = decision.by?.why ? ` (${decision.by.why})` : ''
  const { node } = situation.server.pod ?? {}
  return {
    subject: object,
    title: `${object} refuses ${identity}, the waypoint through which calls to ${destinationName(situation)} come`,
    statement: `${about === 'next' ? 'Once the waypoint is back, the' : 'The'} policies at the destination's ztunnel, evaluated for the waypoint's own connection, refuse it${why}: ${object} attaches by selector, so it is enforced there and meets the waypoint's identity, never the real caller's.`,
    certainty: 'likely',
    supporting: [...seen, quoteObject(policy, `what ${object} says`, policy.object.spec)],
    contradicting: [],
    fix: waypointFix(situation, policy),
    verify: tryAgain(situation, 'an answer, and no policy rejection in the log of ztunnel'),
    wouldDecide: {
      command: `kubectl logs -n ${situation.given.istioNamespace} -l app=ztunnel --prefix --tail=500`,
      why: `whether the ztunnel on ${node ?? 'the destination’s node'} logs "policy rejection" with src.identity ${identity}`,
    },
    about,
  }
}

/** The waypoint gave its own answer to this request: its connection to the pod was not even asked for. */
function answeredBefore({ sample }: Situation): boolean {
  const line = sample?.waypoint?.record
  return line !== undefined && line.upstreamHost === null && lineVerdict(line) === 'own'
}
