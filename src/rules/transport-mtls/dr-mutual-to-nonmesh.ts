import { inboundCapture } from '../../mesh/traffic-capture.ts'
import { fired, type Hit, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { failingLines, firstFailing } from '../lib/deciding-line.ts'
import { quotePod, withoutProxy, workloadCommand } from '../lib/pod-facts.ts'
import { removeTlsBlock } from '../lib/tls-fix.ts'
import { modeText, nameOf, quoteMode, quoteRule, type Transport, transportOf } from '../lib/transport.ts'
import { destinationName, senderName, tryAgain } from '../lib/words.ts'

const noTlsThere = /WRONG_VERSION_NUMBER/

/** The caller's proxy begins a TLS handshake with something that answers in plaintext. */
export default defineRule({
  code: 'dr-mutual-to-nonmesh',
  layer: 'transport-mtls',
  severity: 'error',
  explains: ['503', 'reset', 'tls'],
  title: 'Mutual TLS is sent to a pod that cannot do it',
  why: 'The caller’s proxy starts a TLS handshake, and what answers is no TLS. A DestinationRule that says ISTIO_MUTUAL, or a label that promises a proxy, is believed even where there is no proxy to answer.',
  needs: ['server.config'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const lines = failingLines(
      situation,
      ({ record, role }) =>
        role !== 'server' && noTlsThere.test(`${record.transportFailure ?? ''}${record.details ?? ''}`),
    )
    const line = lines.at(-1)
    if (!line) {
      if (situation.exchanges.length === 0) return fromConfiguration(situation)
      const other = firstFailing(situation)
      return other
        ? ruledOut('no line speaks of a TLS version error', quoteLine(other, 'another reason stands here'))
        : quiet
    }
    const exchange = situation.failing.findLast(({ client, gateway }) => client === line || gateway === line) ?? null
    const transport = transportOf(situation, exchange)
    return transport ? fired(plainAnswer(situation, line, transport)) : quiet
  },
})

/** No line was read: rule and pod together still say what would happen. */
function fromConfiguration(situation: Situation): RuleOutcome {
  const transport = transportOf(situation, null)
  if (!transport?.sends?.decidedBy || transport.sends.sends !== 'istio-mtls' || !whyNoTls(situation, transport))
    return quiet
  return fired(plainAnswer(situation, null, transport))
}

interface Why {
  readonly text: string
  readonly quotes: Hit['supporting']
}

/** Why the destination does not answer in TLS. Null when everything read says that it should. */
function whyNoTls(situation: Situation, { target, port, accepts }: Transport): Why | null {
  if (!target.hasEnvoy && target.proxy !== 'ambient')
    return { text: withoutProxy(target), quotes: [quotePod(target, withoutProxy(target))] }
  const { captured, annotation } = inboundCapture(target.annotations, port)
  if (!captured && annotation)
    return {
      text: `${annotation} of ${podLabel(target)} keeps port ${port} away from its proxy`,
      quotes: [
        quote(target.entry, 'the port is not captured', `${annotation}: ${target.annotations[annotation] ?? ''}`),
      ],
    }
  if (accepts?.mode === 'DISABLE')
    return { text: `${modeText(accepts)} for port ${port}`, quotes: [quoteMode(situation, { target, accepts })] }
  return null
}

function plainAnswer(situation: Situation, line: Line | null, transport: Transport): Hit {
  const { sends, target } = transport
  const by = sends?.decidedBy ?? null
  const why = whyNoTls(situation, transport)
  const staleLabel = !target.hasEnvoy && target.labels['security.istio.io/tlsMode'] === 'istio'
  const cause = by
    ? `DestinationRule ${nameOf(by.object)} sets ${by.field}.mode ${sends?.mode}`
    : staleLabel
      ? `label security.istio.io/tlsMode=istio of ${podLabel(target)} promises a proxy`
      : (sends?.why ?? 'what makes it send TLS could not be read')
  const proven = line !== null && why !== null && (by !== null || staleLabel || sends?.sends === 'istio-mtls')
  const name = destinationName(situation)
  const rule = by ? quoteRule(situation, by.object) : null
  return {
    subject: by ? `DestinationRule ${nameOf(by.object)}` : podLabel(target),
    title: `${senderName(situation)} sends TLS to ${name}, where nothing speaks it`,
    statement: `${cause}, and ${why?.text ?? `${podLabel(target)} answers in plaintext`}.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(line ? [quoteLine(line, 'the TLS handshake was answered in plaintext: WRONG_VERSION_NUMBER')] : []),
      ...(rule ? [rule] : []),
      ...(why?.quotes ?? []),
    ],
    contradicting: [],
    fix: by ? removeTlsBlock(by.object, by.field, true) : withoutRule(transport, staleLabel, name),
    verify: tryAgain(situation, 'an answer of the application, and no TLS_error in the caller’s log'),
    wouldDecide: proven
      ? null
      : line === null
        ? { command: callerLog(transport), why: 'WRONG_VERSION_NUMBER in the line of this request proves it' }
        : {
            command: `kubectl get pod ${target.name} -n ${target.namespace} -o yaml`,
            why: 'without istio-proxy among its containers nobody behind this port takes mutual TLS, and the caller has to send plaintext; with one, look for what stands in its way',
          },
    about: 'call',
  }
}

function callerLog({ caller }: Transport): string {
  return `kubectl logs -n ${caller?.namespace ?? 'NAMESPACE'} ${caller?.name ?? 'POD'} -c istio-proxy --tail=200`
}

function withoutRule({ target, port }: Transport, staleLabel: boolean, name: string): Hit['fix'] {
  return {
    statement: staleLabel
      ? `Take the label security.istio.io/tlsMode=istio off the pod template of ${podLabel(target)}: injection sets it where there is a proxy. Keep its other labels.`
      : `Let the proxy of ${podLabel(target)} take port ${port} again, or set tls mode DISABLE for ${name} and this port alone in a DestinationRule.`,
    commands: workloadCommand(target, 'edit'),
    scope: `the pods of ${podLabel(target)}`,
    risk: 'its pods are replaced',
    undo: 'put the label or annotation back',
  }
}
