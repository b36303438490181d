import type { Certainty } from '../../model/answered-by.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Exchange } from '../../situation/exchanges.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hasArrived } from '../lib/behind-failure.ts'
import { removeTlsBlock } from '../lib/tls-fix.ts'
import {
  modeText,
  nameOf,
  quoteMode,
  quoteRule,
  refusedPlaintext,
  type Transport,
  transportOf,
} from '../lib/transport.ts'
import { isNewer } from '../lib/unlogged-refusal.ts'
import { destinationName, senderName, tryAgain } from '../lib/words.ts'

/** The caller's proxy was told to send something else than mesh mTLS, and the destination takes nothing else. */
export default defineRule({
  code: 'dr-tls-disable-vs-strict',
  layer: 'transport-mtls',
  severity: 'error',
  explains: ['503', 'reset', 'tls', 'timeout'],
  title: 'A DestinationRule turns off the mutual TLS that STRICT demands',
  why: 'A tls block in a DestinationRule tells the caller’s proxy what to send, whatever the destination accepts. Under STRICT the destination closes everything that is not mutual TLS of the mesh, and the caller’s proxy answers 503.',
  needs: ['server.config', ['client.config', 'gateway.config', 'server.config']],
  seeAlso: [
    'https://istio.io/latest/docs/ops/common-problems/network-issues/#503-errors-after-setting-destination-rule',
  ],
  applies: ({ server }) => !server.external,
  check(situation) {
    const exchange = failedInTransport(situation)
    const transport = transportOf(situation, exchange ?? situation.sample ?? situation.exchanges.at(-1) ?? null)
    if (!transport || transport.callerProxy === 'none' || transport.callerProxy === 'ztunnel') return quiet
    const { sends, accepts, outcome } = transport
    if (!sends) return quiet
    // The policies could not be read, but a refused plaintext connection speaks for STRICT.
    if (!accepts)
      return exchange && refusedPlaintext(exchange.server) && sends.decidedBy && sends.sends === 'plaintext'
        ? fired(conflict(situation, transport, exchange, 'call'))
        : quiet
    if (accepts.mode !== 'STRICT')
      return exchange ? ruledOut(`${modeText(accepts)}: it is not STRICT`, quoteMode(situation, transport)) : quiet
    if (sends.sends === 'istio-mtls' || sends.sends === 'hbone')
      return exchange
        ? ruledOut(`the caller’s proxy sends mutual TLS: ${sends.why}`, quoteMode(situation, transport))
        : quiet
    const autoIsOff = !situation.mesh.enableAutoMtls && sends.mode === 'none' && sends.rule !== null
    if (outcome?.outcome !== 'fails' || (!sends.decidedBy && !autoIsOff && situation.mesh.enableAutoMtls)) return quiet
    const answered = situation.exchanges.findLast(hasArrived)
    const last = situation.exchanges.at(-1)
    const rule = sends.decidedBy?.object
    if (!exchange && situation.failing.length === 0 && answered && last?.time && rule && isNewer(rule, last.time)) {
      const line = last.server ?? last.client ?? last.gateway
      const passed = line ? [quoteLine(line, 'the last request logged arrived; the rule was made after it')] : []
      return fired({ ...conflict(situation, transport, null, 'call'), contradicting: passed })
    }
    const arrived = answered?.server ?? answered?.client ?? answered?.gateway
    if (!exchange && arrived && !(answered?.time && rule && isNewer(rule, answered.time)))
      return ruledOut('requests of this call arrive at the destination', quoteLine(arrived, 'it arrived'))
    if (exchange) return fired(conflict(situation, transport, exchange, 'call'))
    // Something nearer stops the call. Once that is fixed, this bites.
    return situation.failing.length > 0 || situation.exchanges.length === 0
      ? fired(conflict(situation, transport, null, situation.failing.length > 0 ? 'next' : 'call'))
      : quiet
  },
})

/** A failing exchange whose connection was made and broke before a response: what a refused handshake looks like. */
function failedInTransport(situation: Situation): Exchange | null {
  const pool = situation.failing
  const both = pool.filter(({ server }) => refusedPlaintext(server))
  const clientOnly = pool.filter(({ client, gateway, server }) => {
    const front = client ?? gateway
    if (!front || (server && !refusedPlaintext(server))) return false
    const { flags, details, transportFailure, kind } = front.record
    if (/TLS_error|CERTIFICATE|TLS error/.test(transportFailure ?? '')) return true
    if (flags.includes('UC')) return details === null || details.includes('connection_termination')
    return kind === 'tcp' && (flags.includes('UR') || flags.includes('UF'))
  })
  const { sample } = situation
  // The call that the picture shows, where it is one of them.
  const shown = (all: readonly Exchange[]) => (sample && all.includes(sample) ? sample : all.at(-1))
  return shown(both) ?? shown(clientOnly) ?? null
}

function conflict(situation: Situation, transport: Transport, exchange: Exchange | null, about: Hit['about']): Hit {
  const { sends, accepts, target } = transport
  const by = sends?.decidedBy ?? null
  const rule = by?.object ?? null
  const front = exchange?.client ?? exchange?.gateway ?? null
  const lines = [
    ...(front ? [quoteLine(front, `the ${exchange?.client ? 'caller’s proxy' : 'gateway'} was cut off`)] : []),
    ...(exchange?.server
      ? [quoteLine(exchange.server, 'the same connection at the destination: no filter chain for it, and no SNI')]
      : []),
  ]
  const certainty: Certainty =
    about === 'call' && front && rule && accepts ? 'proven' : exchange || rule ? 'likely' : 'possible'
  const what = by
    ? `DestinationRule ${nameOf(by.object)} makes ${senderName(situation)} send ${wireText(sends?.mode)}`
    : `${senderName(situation)} sends plaintext because automatic mutual TLS is off`
  const name = destinationName(situation)
  return {
    subject: by ? `DestinationRule ${nameOf(by.object)}` : name,
    title: `${what} to ${name}, which accepts only mutual TLS`,
    statement: `${sends?.why ?? ''}; ${accepts ? modeText(accepts) : 'what is accepted could not be read'} for ${target.name}.${target.namespace} port ${transport.port}: ${transport.outcome ? `${transport.outcome.why}.` : 'its proxy refused the connection.'}`,
    certainty: about === 'next' ? 'likely' : certainty,
    supporting: [
      ...lines,
      ...(rule ? [quoteRule(situation, rule)].flatMap((one) => one ?? []) : meshQuote(situation)),
      quoteMode(situation, transport),
      ...hiddenRules(situation, transport),
    ],
    contradicting: [],
    fix:
      rule && by
        ? removeTlsBlock(rule, by.field, situation.mesh.enableAutoMtls)
        : {
            statement: `Add tls mode ISTIO_MUTUAL for ${name} to the DestinationRule that counts for this caller; leave its other settings.`,
            commands: [],
            scope: `callers in ${transport.caller?.namespace ?? 'the caller’s namespace'}`,
            risk: 'hosts that the same rule covers and that have no proxy would get mutual TLS, too',
            undo: 'take the tls block out again',
          },
    verify: tryAgain(situation, 'no 503, and a line at the destination with an SNI that begins with outbound_'),
    wouldDecide:
      certainty === 'proven' && about === 'call'
        ? null
        : !accepts
          ? {
              command: `kubectl get peerauthentications.security.istio.io -n ${target.namespace} -o yaml`,
              why: 'STRICT for this workload or namespace means that plaintext is refused; where nothing here says a mode, the mesh-wide policy in the root namespace does',
            }
          : {
              command: `kubectl logs -n ${target.namespace} ${target.name} -c istio-proxy --tail=200`,
              why: 'a line with filter_chain_not_found from the caller’s address proves it',
            },
    about,
  }
}

function wireText(mode: string | undefined): string {
  if (mode === 'DISABLE') return 'plaintext'
  return mode === 'SIMPLE' ? 'one-way TLS' : mode === 'MUTUAL' ? 'TLS with a certificate of its own' : 'plaintext'
}

function meshQuote({ meshEntry }: Situation) {
  return meshEntry
    ? [quote(meshEntry, 'automatic mutual TLS is off in the mesh configuration', 'enableAutoMtls: false')]
    : []
}

/** A rule that would have said ISTIO_MUTUAL and does not count, because a nearer one for the same host does. */
function hiddenRules(situation: Situation, { sends }: Transport) {
  return (sends?.rule?.hidden ?? []).flatMap(({ object, why }) => {
    const stored = situation.store.get('DestinationRule', object.metadata.namespace ?? null, object.metadata.name)
    const mode: unknown = object.spec?.trafficPolicy?.tls?.mode
    return stored && mode === 'ISTIO_MUTUAL'
      ? [
          quoteObject(
            stored,
            `${nameOf(object)} would send mutual TLS and does not count here: ${why}`,
            object.spec.trafficPolicy.tls,
          ),
        ]
      : []
  })
}
