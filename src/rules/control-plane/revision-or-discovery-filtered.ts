import { fired, quiet } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { revisionsOfCall } from '../lib/istiods.ts'
import { proxiesOnTheWay } from '../lib/sync-state.ts'
import { callName } from '../lib/words.ts'

const kinds = [
  'VirtualService',
  'DestinationRule',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'PeerAuthentication',
  'Sidecar',
  'ServiceEntry',
  'EnvoyFilter',
  'Gateway',
]

/** An object of this call carries a revision label of another control plane: istiods of these proxies pass it over. */
export default defineRule({
  code: 'revision-or-discovery-filtered',
  layer: 'control-plane-xds',
  severity: 'error',
  explains: ['not-applied'],
  title: 'An object is meant for another revision',
  why: 'An object with a label istio.io/rev is read only by the istiod of that revision. Proxies of another revision never hear of it, and nothing complains.',
  needs: ['server.config'],
  check(situation) {
    const revisions = revisionsOfCall(situation)
    const [pod] = proxiesOnTheWay(situation)
    if (revisions.length === 0 || !pod) return quiet
    const own = kinds.flatMap((kind) =>
      situation.store.list(kind).filter(({ object }) => {
        const wanted = object.metadata.labels?.['istio.io/rev']
        const near = [situation.clientNamespace, situation.serverNamespace].includes(object.metadata.namespace ?? null)
        return (
          wanted !== undefined && near && !revisions.includes(wanted) && concerns(object.spec, situation.server.label)
        )
      }),
    )
    const [first] = own
    if (!first) return quiet
    const { object } = first
    const wanted = object.metadata.labels?.['istio.io/rev'] ?? ''
    const name = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`
    return fired(
      hit({
        subject: name,
        title: `${name} is for revision ${wanted}, and the proxies of ${callName(situation)} belong to ${revisions.join(', ')}`,
        statement: `${name} carries istio.io/rev=${wanted}, so only the istiod of that revision reads it. The proxies on this call get their configuration from ${revisions.join(', ')}.`,
        // A tag may stand for one of these revisions; only the control plane knows.
        certainty: 'likely',
        supporting: [
          quoteObject(first, 'its revision label', object.metadata.labels),
          quote(pod.entry, 'the revision of the proxies', `istio.io/rev: ${revisions.join(', ')}`),
        ],
        wouldDecide: {
          command: 'istioctl tag list',
          why: `whether ${wanted} is another name for ${revisions.join(', ')}`,
        },
        fix: {
          statement: `Remove the label istio.io/rev from ${name}, or set it to ${revisions[0]}; leave its spec as it is.`,
          commands: [
            `kubectl -n ${object.metadata.namespace} label ${object.kind.toLowerCase()} ${object.metadata.name} istio.io/rev-`,
          ],
          scope: 'what the object says takes effect for these proxies, and stays so for the other revision',
          risk: 'it takes effect at once',
          undo: `put the label istio.io/rev=${wanted} back`,
        },
        verify: {
          command: `istioctl proxy-config routes ${pod.name}.${pod.namespace}`,
          expect: `${object.metadata.name} among the objects that made them`,
        },
      }),
    )
  },
})

/** Objects without a host concern everything in their namespace. */
function concerns(spec: unknown, server: string | null): boolean {
  const text = JSON.stringify(spec ?? {})
  const name = server?.split('.')[0]
  return name === undefined || !/"hosts?":/.test(text) || text.includes(name)
}
