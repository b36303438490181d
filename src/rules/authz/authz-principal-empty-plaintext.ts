import { type Fix, fired } from '../../model/finding.ts'
import { objectName } from '../../model/kube.ts'
import type { Exchange } from '../../situation/exchanges.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quotePod } from '../lib/pod-facts.ts'
import { policyName } from '../lib/policy-fix.ts'
import { peerOf } from '../lib/refusal.ts'
import { fieldsOf, fieldsText } from '../lib/rule-fields.ts'
import { denyBecause, missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { transportOf } from '../lib/transport.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** Only mutual TLS carries an identity. Without it a rule that names a principal never fits, whoever calls. */
export default defineRule({
  code: 'authz-principal-empty-plaintext',
  layer: 'transport-mtls',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The policy names an identity, and the call came in plaintext without one',
  why: 'principals, namespaces and service accounts are read from the client certificate of mutual TLS. A plaintext call has none.',
  needs: refusalNeeds,
  yieldsTo: ['dr-tls-disable-vs-strict', 'authz-blocks-probes-and-scrapers', 'cors-preflight-rejected'],
  seeAlso: ['https://istio.io/latest/docs/concepts/security/#dependency-on-mutual-tls'],
  check(situation) {
    const miss = missBecause(situation, 'plaintext')
    const deny = miss ? null : denyBecause(situation, 'plaintext')
    const found = miss ?? deny
    if (!found) return otherRefusal(situation, 'the identity of the caller is not what is missing')
    const near = miss?.detail.nearest[0]
    const policy = near?.policy ?? deny?.detail.policy
    const fields = fieldsOf(near?.rule ?? deny?.detail.rule).filter(({ kind }) => kind === 'identity')
    const name = policy ? policyName(policy) : 'the policy'
    const peer = peerOf(situation, found.refusal.at, found.refusal.exchange)
    // Set only where mutual TLS alone would not help.
    const own = miss?.detail.remark?.replace('spiffe://', '') ?? null
    const also = own === null ? '' : ` With mutual TLS it would be ${own}, which has to be among the values as well.`
    return fired(
      specificHit(situation, found, {
        title: `${callerName(situation)} reaches ${destinationName(situation)} in plaintext, and ${name} asks for an identity`,
        statement: `${name} asks for ${fieldsText(fields)}. The line of the destination's proxy has no server name (SNI), so the connection was not mutual TLS and carried no identity; apart from that the rule ${deny ? 'would spare' : 'fits'} the request.${also}`,
        fix: transportFix(situation, peer, found.refusal.exchange),
        more: peer
          ? [
              quotePod(
                peer,
                `the caller's pod: ${peer.hasEnvoy ? 'it has a proxy, so something switches mutual TLS off' : 'it has no proxy'}`,
              ),
            ]
          : [],
      }),
    )
  },
})

function transportFix(situation: Situation, peer: PodView | null, exchange: Exchange | null): Fix {
  const to = destinationName(situation)
  const statement =
    peer === null
      ? `Bring the caller into the mesh, or remove what makes it send plaintext to ${to}; do not loosen the policy.`
      : peer.hasEnvoy
        ? `Let ${peer.name}.${peer.namespace} send mutual TLS to ${to} again: ${switchedOffBy(situation, exchange)}, and nothing else; do not loosen the policy.`
        : `Give the workload of ${peer.name}.${peer.namespace} a proxy (inject it and recreate its pods one by one); do not loosen the policy.`
  return {
    statement,
    commands: [],
    scope: 'the caller',
    risk: peer?.hasEnvoy
      ? 'the connection then passes both proxies: their routes, limits and policies count for it'
      : 'with a proxy all traffic of that pod passes the mesh, not only this call',
    undo: peer?.hasEnvoy ? 'put it back as it was' : 'take the label or annotation back and recreate the pods',
  }
}

/** What takes mutual TLS away from a caller that has a proxy: an annotation, a DestinationRule, or one of the two. */
function switchedOffBy(situation: Situation, exchange: Exchange | null): string {
  const transport = transportOf(situation, exchange)
  if (transport?.excluded?.annotation)
    return `take port ${situation.server.portNumber} out of annotation ${transport.excluded.annotation} of its workload`
  const rule = transport?.sends?.sends === 'plaintext' ? transport.sends.decidedBy : null
  if (rule) return `remove ${rule.field} from ${objectName(rule.object)}`
  return 'remove the exclusion annotation (traffic.sidecar.istio.io/excludeOutbound…) or the DestinationRule tls mode that takes this port out'
}
