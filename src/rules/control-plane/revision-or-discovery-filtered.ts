import { parseClusterName } from '../../mesh/names.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import { resourceFor, type Stored } from '../../situation/objects.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { objectName } from '../lib/cluster.ts'
import { frontLines, frontRole } from '../lib/front.ts'
import { hit } from '../lib/hit.ts'
import { revisionsOfCall } from '../lib/istiods.ts'
import { concernsCall, isUndiscovered, otherRevisionOf, revisionOfTag } from '../lib/read-by-istiod.ts'
import { isUnknownHost } from '../lib/registry-only.ts'
import { proxiesOnTheWay } from '../lib/sync-state.ts'
import { callName, destinationName } from '../lib/words.ts'

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

/** istiod passes over an object of this call: it is labelled for another revision, or its namespace is left out of discovery. */
export default defineRule({
  code: 'revision-or-discovery-filtered',
  layer: 'control-plane-xds',
  severity: 'error',
  explains: ['not-applied', '502', '503', '404', 'reset'],
  title: 'istiod does not read an object of this call',
  why: 'An object with a label istio.io/rev is read only by the istiod of that revision, and a namespace that no discoverySelector fits is read by none. Proxies never hear of what is in it, and nothing complains.',
  needs: ['server.config'],
  check(situation) {
    const known = [...ofOtherRevision(situation), ...undiscovered(situation)]
    const hits = known.length > 0 ? known : maybeUndiscovered(situation)
    return hits.length > 0 ? fired(...hits) : quiet
  },
})

function ofOtherRevision(situation: Situation): readonly Hit[] {
  const revisions = revisionsOfCall(situation)
  const [pod] = proxiesOnTheWay(situation)
  if (!pod) return []
  return nearObjects(situation)
    .flatMap((stored) => {
      const wanted = otherRevisionOf(situation, stored.object)
      if (wanted === null) return []
      const { object } = stored
      const name = objectName(object)
      const stands = revisionOfTag(situation, wanted)
      const isOurTag = stands !== null && stands !== 'unknown' && revisions.includes(stands)
      return hit({
        subject: name,
        title: `${name} is for revision ${wanted}, and the proxies of ${callName(situation)} belong to ${revisions.join(', ')}`,
        statement: `${name} carries istio.io/rev=${wanted}, so only the istiod of that revision reads it. The proxies on this call get their configuration from ${revisions.join(', ')}.${
          isOurTag ? ` ${wanted} is a tag of ${stands}, which only newer istiods take for themselves.` : ''
        }`,
        certainty: stands === 'unknown' ? 'likely' : isOurTag ? 'possible' : 'proven',
        supporting: [
          quoteObject(stored, 'its revision label', object.metadata.labels),
          quote(pod.entry, 'the revision of the proxies', `istio.io/rev: ${revisions.join(', ')}`),
        ],
        wouldDecide:
          stands === null
            ? null
            : {
                command: 'istioctl tag list',
                why: `${wanted} in the list, as a tag of ${revisions.join(', ')}, is only another name for it; else nobody serves it`,
              },
        fix: {
          statement: `Remove the label istio.io/rev from ${name}, or set it to ${revisions[0]}; leave its spec as it is.`,
          commands: [
            `kubectl -n ${object.metadata.namespace} label ${resourceFor(object.kind)} ${object.metadata.name} istio.io/rev-`,
          ],
          scope: 'what the object says takes effect for these proxies, and stays so for the other revision',
          risk: 'it takes effect at once',
          undo: `put the label istio.io/rev=${wanted} back`,
        },
        verify: {
          command: `istioctl proxy-config routes ${pod.name}.${pod.namespace}`,
          expect: `${object.metadata.name} among the objects that made them`,
        },
        about: situation.symptom === 'not-applied' ? 'call' : 'aside',
      })
    })
    .slice(0, 3)
}

function nearObjects(situation: Situation): readonly Stored[] {
  return kinds.flatMap((kind) => situation.store.list(kind).filter((stored) => concernsCall(situation, stored)))
}

/** The destination's namespace, or one with an object about it, is none that istiod looks at. */
function undiscovered(situation: Situation): readonly Hit[] {
  const { serverNamespace, meshEntry } = situation
  const left = (namespace: string | null) =>
    namespace !== null &&
    isUndiscovered(situation, namespace) === true &&
    // What a proxy has a cluster for, istiod knows, whatever the labels say now.
    !(namespace === serverNamespace && isKnownToProxy(situation))
  if (meshEntry === null || situation.mesh.discoverySelectors.length === 0) return []
  const unknown = frontLines(situation, isUnknownHost).at(-1)?.line ?? null
  const objects = nearObjects(situation).filter(({ object }) => left(object.metadata.namespace ?? null))
  const applies = situation.symptom === 'not-applied' && (objects.length > 0 || left(serverNamespace))
  const namespace =
    left(serverNamespace) && (unknown || objects.length === 0)
      ? serverNamespace
      : (objects[0]?.object.metadata.namespace ?? null)
  if (namespace === null || !(applies || (unknown && left(serverNamespace)))) return []
  const stored = situation.store.get('Namespace', null, namespace)
  const inIt = objects.filter(({ object }) => object.metadata.namespace === namespace)
  const [label] = situation.mesh.discoverySelectors.flatMap(({ matchLabels = {} }) => Object.entries(matchLabels))
  const wanted = label ? `${label[0]}=${label[1]}` : 'KEY=VALUE'
  const names = inIt.map(({ object }) => objectName(object)).join(', ')
  return [
    hit({
      subject: `namespace ${namespace}`,
      title: `istiod does not look at namespace ${namespace}: no discoverySelector fits its labels`,
      statement: `The mesh configuration has discoverySelectors, and the labels of namespace ${namespace} fit none of them. ${
        namespace === serverNamespace ? `To the proxies ${destinationName(situation)} is an unknown host. ` : ''
      }${names ? `What is in it has no effect: ${names}.` : 'What is in it has no effect.'}`,
      certainty: 'proven',
      supporting: [
        quote(
          meshEntry,
          'what istiod looks at',
          JSON.stringify({ discoverySelectors: situation.mesh.discoverySelectors }),
        ),
        ...(stored
          ? [quoteObject(stored, `labels of namespace ${namespace}`, stored.object.metadata.labels ?? {})]
          : []),
        ...inIt.slice(0, 2).map((one) => quoteObject(one, 'an object that is passed over', one.object.spec)),
        ...(unknown
          ? [quote(unknown.entry, 'its host is unknown to the proxy', unknown.record.raw, unknown.record.line)]
          : []),
      ],
      fix: {
        statement: `Label namespace ${namespace} so that one of the discoverySelectors fits; leave the selectors as they are.`,
        commands: [`kubectl label namespace ${namespace} ${wanted}`],
        scope: `everything in namespace ${namespace} becomes known to all proxies`,
        risk: 'policies and routes in it take effect at once, also forgotten ones',
        undo: `take the label away from namespace ${namespace} again`,
      },
      verify: {
        command: `istioctl proxy-config clusters ${proxiesOnTheWay(situation)[0]?.name ?? 'POD'}.${proxiesOnTheWay(situation)[0]?.namespace ?? 'NAMESPACE'}`,
        expect: `a cluster for ${destinationName(situation)}`,
      },
    }),
  ]
}

/** A route from a namespace whose labels were not read, and which the call does not take: the namespace may be left out. */
function maybeUndiscovered(situation: Situation): readonly Hit[] {
  const { meshEntry, symptom, store } = situation
  if (symptom !== 'not-applied' || meshEntry === null || situation.mesh.discoverySelectors.length === 0) return []
  const taken = routeOfCall(situation, frontRole(situation))
  if (taken?.from !== 'proxy') return []
  return store
    .list('VirtualService')
    .filter((stored) => {
      const { name, namespace = 'default' } = stored.object.metadata
      const isTaken = taken.object?.name === name && taken.object.namespace === namespace
      return !isTaken && isUndiscovered(situation, namespace) === null && concernsCall(situation, stored)
    })
    .slice(0, 2)
    .map((stored) => {
      const name = objectName(stored.object)
      const namespace = stored.object.metadata.namespace ?? 'default'
      return hit({
        subject: name,
        title: `${name} may lie in a namespace that istiod does not look at`,
        statement: `${name} is about ${destinationName(situation)}, and the proxy’s route does not come from it. The mesh configuration has discoverySelectors, and the labels of namespace ${namespace} were not read.`,
        certainty: 'possible',
        supporting: [
          quote(
            meshEntry,
            'what istiod looks at',
            JSON.stringify({ discoverySelectors: situation.mesh.discoverySelectors }),
          ),
          quoteObject(stored, `what ${name} is about`, stored.object.spec?.hosts),
          ...taken.quotes('the route that the call takes', { route: taken.object, clusters: taken.clusters }),
        ],
        fix: {
          statement: `Compare the labels of namespace ${namespace} with the discoverySelectors before anything is changed.`,
          commands: [],
          scope: `namespace ${namespace}`,
          risk: 'none: nothing changes',
          undo: 'nothing to undo',
        },
        verify: {
          command: `kubectl get namespace ${namespace} --show-labels`,
          expect: 'labels that one of the discoverySelectors fits',
        },
        wouldDecide: {
          command: `kubectl get namespace ${namespace} --show-labels`,
          why: `whether one of the discoverySelectors fits the labels of namespace ${namespace}`,
        },
      })
    })
}

function isKnownToProxy(situation: Situation): boolean {
  const { host } = situation.server
  const held = situation.all<readonly { readonly name: string }[]>('client.clusters').flatMap(({ data }) => data)
  return host !== null && held.some(({ name }) => parseClusterName(name).host === host)
}
