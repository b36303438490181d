import { fired, quiet } from '../../model/finding.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { modeText, quoteMode, transportOf } from '../lib/transport.ts'
import { destinationName } from '../lib/words.ts'

/** A PeerAuthentication reads as if it counted for the destination, and another one, or none, decides. */
export default defineRule({
  code: 'peerauth-scope-surprise',
  layer: 'transport-mtls',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'Another PeerAuthentication decides than the one that seems to',
  why: 'The most specific policy wins: port, then workload, then namespace, then mesh. Ports are those of the container, count only with a selector, and a selector in the root namespace has no effect.',
  needs: ['server.config'],
  seeAlso: ['https://istio.io/latest/docs/concepts/security/#peer-authentication'],
  check(situation) {
    const transport = transportOf(situation, situation.exchanges.at(-1) ?? null)
    const accepts = transport?.accepts
    if (!transport || !accepts) return quiet
    const wrongPort = servicePortNamed(situation, transport.port)
    const ignored = [...accepts.ignored, ...(wrongPort ? [wrongPort] : [])].filter(({ policy }) => {
      const stored = storedPolicy(situation, policy)
      const modes = JSON.stringify(stored?.object.spec ?? {}).match(/"mode":"[A-Z]+"/g) ?? []
      return modes.some((mode) => mode !== `"mode":"${accepts.mode}"`)
    })
    const [first] = ignored
    if (!first) return quiet
    const stored = storedPolicy(situation, first.policy)
    const plaintext = situation.passing.find(({ server }) => server !== null && server.record.sni === null)?.server
    const bites = situation.symptom === 'not-applied' && accepts.mode !== 'STRICT' && plaintext
    const name = destinationName(situation)
    return fired(
      hit({
        subject: `PeerAuthentication ${first.policy}`,
        title: `PeerAuthentication ${first.policy} does not do what it says for ${name}`,
        statement: `${first.why}. At port ${transport.port} of ${transport.target.name}.${transport.target.namespace} ${modeText(accepts)}.${
          plaintext ? ' Plaintext is let in there.' : ''
        }`,
        certainty: bites ? 'proven' : 'likely',
        supporting: [
          ...(stored
            ? [quoteObject(stored, `what ${first.policy} says`, stored.object.spec)]
            : [quote(transport.target.entry, first.why)]),
          quoteMode(situation, transport),
          ...(plaintext ? [quoteLine(plaintext, 'a request without SNI, that is in plaintext, was answered')] : []),
        ],
        wouldDecide: bites
          ? null
          : {
              command: `istioctl x describe pod ${transport.target.name}.${transport.target.namespace}`,
              why: 'its line Effective PeerAuthentication shows what is in force, to compare with what was meant',
            },
        fix: {
          statement: `Correct the scope of PeerAuthentication ${first.policy} alone: container port ${transport.port}, a selector beside portLevelMtls, the namespace of the workload. Keep the other policies.`,
          commands: [],
          scope: 'what the policy selects after the change',
          risk: 'if it then sets STRICT, callers without a proxy are refused: look who they are first',
          undo: 'put the policy back as it was',
        },
        verify: {
          command: `istioctl x describe pod ${transport.target.name}.${transport.target.namespace}`,
          expect: 'Effective PeerAuthentication names this policy and its mode',
        },
        about: bites ? 'call' : 'aside',
      }),
    )
  },
})

function storedPolicy({ store }: Situation, policy: string) {
  const [namespace = '', name = ''] = policy.split('/')
  return store.get('PeerAuthentication', namespace, name)
}

/** portLevelMtls with the Service's number, where the container listens on another one. */
function servicePortNamed(situation: Situation, containerPort: number): { policy: string; why: string } | null {
  const number = situation.server.portNumber
  if (number === null || number === containerPort) return null
  const found = situation.store
    .list('PeerAuthentication', situation.server.namespace ?? undefined)
    .find(
      ({ object }) =>
        object.spec?.portLevelMtls?.[number] !== undefined && object.spec?.portLevelMtls?.[containerPort] === undefined,
    )
  return found
    ? {
        policy: `${found.object.metadata.namespace}/${found.object.metadata.name}`,
        why: `it names port ${number} of the Service, and the container listens on ${containerPort}`,
      }
    : null
}
