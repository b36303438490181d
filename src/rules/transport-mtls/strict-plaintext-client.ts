import type { Certainty } from '../../model/answered-by.ts'
import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { ipOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { plaintextDenied } from '../lib/ambient.ts'
import { quotePod, withoutProxy } from '../lib/pod-facts.ts'
import { modeText, plaintextRefusals, quoteMode, type Transport, transportOf } from '../lib/transport.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** The caller's bytes reach a destination that takes only mutual TLS, and no proxy on the caller's side has encrypted them. */
export default defineRule({
  code: 'strict-plaintext-client',
  layer: 'transport-mtls',
  severity: 'error',
  explains: ['reset', '503', 'not-injected', 'tls', 'timeout'],
  title: 'A caller in plaintext meets STRICT',
  why: 'Under STRICT the destination’s proxy closes every connection that is not mutual TLS of the mesh. A caller without a proxy, or one whose proxy is told to leave this address or port alone, cannot speak it.',
  needs: ['server.config'],
  yieldsTo: ['ambient-not-captured', 'prometheus-scrape-strict', 'headless-podip-503'],
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const atZtunnel = refusedByZtunnel(situation)
    if (atZtunnel) return fired(atZtunnel)

    const refusals = plaintextRefusals(situation)
    const refusal = refusals.at(-1) ?? null
    const transport = transportOf(situation, refusal ?? situation.sample ?? situation.exchanges.at(-1) ?? null)
    if (!transport) return quiet
    const line = refusal?.server ?? null
    const unproxied = transport.callerProxy === 'none' && transport.caller !== null
    const isStrict = transport.accepts?.mode === 'STRICT'

    if (line && !unproxied) {
      // A proxy of the caller sent plaintext on purpose: its configuration is to blame, which is another rule's business.
      if (refusal?.client || transport.sends?.decidedBy) return quiet
      if (transport.caller === null && isStrict) {
        if (!callerIsUnread(situation) && wasLookedUp(situation, line))
          return fired(refused(situation, transport, [quoteRefusal(line)], 'proven'))
        // A caller whose pods could not be read may have a proxy that is told to send plaintext. A 503 even speaks for one.
        const hit = refused(
          situation,
          transport,
          [quoteRefusal(line)],
          situation.symptom === '503' ? 'possible' : 'likely',
        )
        return fired({ ...hit, wouldDecide: deciderForCaller(situation, ipOf(line.record.downstreamRemote)) })
      }
      return quiet
    }
    if (line && isStrict && transport.caller && sees503(situation)) {
      const hit = refused(situation, transport, [quoteRefusal(line)], 'possible')
      return fired({ ...hit, wouldDecide: deciderForWhoSees503(transport.caller) })
    }
    if (line && isStrict) return fired(refused(situation, transport, [quoteRefusal(line)], 'proven'))
    if (line && transport.accepts === null) return fired(refused(situation, transport, [quoteRefusal(line)], 'likely'))
    const passing = situation.passing.find(({ server }) => server !== null && server.record.sni === null)
    if (unproxied && passing?.server)
      return ruledOut(
        'plaintext from this caller passes',
        quoteLine(passing.server, 'answered although it came without mutual TLS'),
      )
    if (unproxied && isStrict && transport.outcome?.outcome === 'fails' && situation.exchanges.length === 0)
      // A log that others have written to and this caller has not speaks for a call that ends before.
      return fired(refused(situation, transport, [], situation.logState('server') === 'lines' ? 'possible' : 'likely'))
    if (transport.accepts && !isStrict && unproxied)
      return ruledOut(`${modeText(transport.accepts)}: plaintext is let in`, quoteMode(situation, transport))
    return quiet
  },
})

/** A pod of the mesh may have the address as long as nobody asked who has it. */
function wasLookedUp({ given, all }: Situation, { record }: Line): boolean {
  const ip = ipOf(record.downstreamRemote)
  if (given.from !== null || ip === null) return true
  return (['mesh.podsByIp', 'mesh.callers'] as const).some((key) =>
    all(key).some(({ subject }) => subject === `address ${ip}`),
  )
}

/** The caller was named, and nobody could look whether it has a proxy: that no pod was found says nothing then. */
function callerIsUnread({ given, client, clientNamespace, store }: Situation): boolean {
  return (
    given.from !== null &&
    client.pods.length === 0 &&
    (clientNamespace === null || store.readable('Pod', clientNamespace) !== 'yes')
  )
}

/** Without a proxy a caller sees a reset. When nobody said who sees the 503, it need not be this one. */
function sees503({ given, symptom, failing }: Situation): boolean {
  return given.from === null && symptom === '503' && failing.every(({ client, gateway }) => !client && !gateway)
}

function deciderForWhoSees503({ name, namespace }: PodView): Hit['wouldDecide'] {
  return {
    command: `kubectl logs ${name} -n ${namespace} --all-containers --tail=200`,
    why: 'nobody said who sees the 503, and a caller without a proxy sees a reset: its own log tells whether the 503 is its',
  }
}

function deciderForCaller({ clientNamespace }: Situation, ip: string | null): Hit['wouldDecide'] {
  const which = clientNamespace ? `-n ${clientNamespace}` : ip ? `-A --field-selector=status.podIP=${ip}` : '-A'
  return {
    command: `kubectl get pods ${which} -o yaml`,
    why: 'istio-proxy among the containers or init containers of the caller means that it has a proxy; without one, or with an annotation that excludes this port, it sends plaintext',
  }
}

function quoteRefusal(line: Parameters<typeof quoteLine>[0]): Quote {
  return quoteLine(line, 'the destination’s proxy found no filter chain for a connection without SNI: it was plaintext')
}

function refused(situation: Situation, transport: Transport, lines: readonly Quote[], certainty: Certainty): Hit {
  const { caller, accepts, excluded, target } = transport
  const who = caller ? podLabel(caller) : callerName(situation)
  const reason = excluded
    ? `its annotation ${excluded.annotation} keeps this call away from its own proxy`
    : caller
      ? caller.hasEnvoy
        ? 'its sidecar does not speak HBONE, and an ambient pod takes no other mutual TLS'
        : 'it has no proxy'
      : callerIsUnread(situation)
        ? 'whether it has a proxy could not be read'
        : 'no pod of the mesh has its address'
  const ambient = target.proxy === 'ambient'
  const logCommand = ambient
    ? `kubectl logs -n ${situation.given.istioNamespace} -l app=ztunnel --tail=200`
    : `kubectl logs -n ${target.namespace} ${target.name} -c istio-proxy --tail=200`
  return {
    subject: who,
    title: `${who} talks plaintext to ${destinationName(situation)}, which accepts only mutual TLS`,
    statement: `${who} sends plaintext: ${reason}. At ${target.name}.${target.namespace} port ${transport.port} ${
      accepts
        ? modeText(accepts)
        : `the mode could not be read, but its ${ambient ? 'ztunnel' : 'proxy'} refused the connection`
    }, so its ${ambient ? 'ztunnel' : 'proxy'} closes the connection before any request is read.`,
    certainty,
    supporting: [
      ...lines,
      ...(accepts ? [quoteMode(situation, transport)] : []),
      ...(caller ? [excluded ? quoteAnnotation(caller, excluded.annotation) : quotePod(caller, itsProxy(caller))] : []),
    ],
    contradicting: [],
    fix: fixFor(transport, who),
    verify: tryAgain(
      situation,
      ambient
        ? 'an HTTP status instead of a reset, and no new policy rejection in the log of ztunnel'
        : 'an HTTP status instead of a reset, and no new filter_chain_not_found line',
    ),
    wouldDecide:
      certainty === 'proven'
        ? null
        : lines.length > 0
          ? {
              command: `kubectl get peerauthentications.security.istio.io -n ${target.namespace} -o yaml`,
              why: 'STRICT for this workload or namespace means that plaintext is refused; where nothing here says a mode, the mesh-wide policy in the root namespace does',
            }
          : {
              command: logCommand,
              why: ambient
                ? 'a policy rejection without src.identity from the caller’s address proves it'
                : 'a line with filter_chain_not_found from the caller’s address proves it',
            },
    about: 'call',
  }
}

function itsProxy(caller: PodView): string {
  return caller.hasEnvoy ? `${podLabel(caller)} has a sidecar` : withoutProxy(caller)
}

function quoteAnnotation(caller: PodView, annotation: string | null): Quote {
  const value = annotation === null ? null : caller.annotations[annotation]
  return quote(caller.entry, `${podLabel(caller)} excludes it from its own proxy`, `${annotation}: ${value ?? ''}`)
}

function fixFor({ caller, excluded, accepts, target, port }: Transport, who: string): Hit['fix'] {
  const revert = `If it has to work at once, a PeerAuthentication for the workload of ${target.name}.${target.namespace} alone with portLevelMtls ${port}: PERMISSIVE lets it in; leave ${
    accepts?.winner ? `${accepts.winner.metadata.namespace}/${accepts.winner.metadata.name}` : 'the other policies'
  } as it is.`
  if (excluded)
    return {
      statement: `Take this destination out of ${excluded.annotation} in the pod template of ${who}; keep the other entries. ${revert}`,
      commands: caller?.workload
        ? [`kubectl -n ${caller.namespace} edit ${caller.workload.kind} ${caller.workload.name}`]
        : [],
      scope: `the pods of ${who}, which are replaced`,
      risk: 'the exclusion may have been made for another destination on the same port or range',
      undo: 'put the entry back',
    }
  if (caller?.hasEnvoy)
    return {
      statement: `Let the sidecar of ${who} speak HBONE: ISTIO_META_ENABLE_HBONE "true" in its proxyMetadata (annotation proxy.istio.io/config, or defaultConfig of the mesh). ${revert}`,
      commands: caller.workload
        ? [`kubectl -n ${caller.namespace} edit ${caller.workload.kind} ${caller.workload.name}`]
        : [],
      scope: `the pods of ${who}, which are replaced`,
      risk: 'its pods are replaced one by one',
      undo: `kubectl rollout undo of ${who}`,
    }
  return {
    statement: `Give ${who} a sidecar, or bring it into the ambient mesh, so that it speaks mutual TLS. ${revert}`,
    commands: caller?.workload
      ? [
          `istioctl x check-inject -n ${caller.namespace} ${caller.name}`,
          `kubectl -n ${caller.namespace} rollout restart ${caller.workload.kind} ${caller.workload.name}`,
        ]
      : [],
    scope: `the pods of ${who}; nothing changes for other callers`,
    risk: 'its pods are replaced one by one; a restart alone changes nothing where labels keep the sidecar away',
    undo: `kubectl rollout undo of ${who}`,
  }
}

/** ztunnel names STRICT as the policy that denied, and knows no identity of the source. */
function refusedByZtunnel(situation: Situation): Hit | null {
  const denial = ztunnelOfCall(situation).find(
    ({ record }) => plaintextDenied.test(record.error ?? '') && record.srcIdentity === null,
  )
  const target = situation.server.pod
  if (!denial || !target) return null
  const transport = transportOf(situation, null)
  if (!transport) return null
  const { record, entry } = denial
  return {
    ...refused(situation, transport, [], 'proven'),
    supporting: [
      quote(
        entry,
        'the destination’s ztunnel refused plaintext: STRICT, and no identity of the caller',
        record.raw,
        record.line,
      ),
      ...(transport.caller ? [quotePod(transport.caller, itsProxy(transport.caller))] : []),
    ],
    wouldDecide: null,
  }
}
