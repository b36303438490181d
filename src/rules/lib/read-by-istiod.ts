import { hostsMatch, resolveHost } from '../../mesh/hosts.ts'
import { selects } from '../../mesh/label-selector.ts'
import { textsIn } from '../../mesh/loose-lists.ts'
import { attachment } from '../../mesh/policy-attachment.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'
import { revisionsOfCall } from './istiods.ts'
import { proxiesOnTheWay } from './sync-state.ts'
import { concernsHost } from './unseen-routes.ts'

/** The revision an object asks for that none of this call's proxies belongs to; null where every istiod of theirs reads it. */
export function otherRevisionOf(situation: Situation, { metadata }: KubeObject): string | null {
  const wanted = metadata.labels?.['istio.io/rev']
  const revisions = revisionsOfCall(situation)
  return wanted === undefined || revisions.length === 0 || revisions.includes(wanted) ? null : wanted
}

/** What a tag stands for. `unknown`: webhooks were not read, and tags live there. */
export function revisionOfTag(situation: Situation, tag: string): string | null | 'unknown' {
  if (!situation.has('mesh.webhooks')) return 'unknown'
  const webhook = situation.store
    .objects('MutatingWebhookConfiguration')
    .find(({ metadata }) => metadata.labels?.['istio.io/tag'] === tag)
  return webhook?.metadata.labels?.['istio.io/rev'] ?? null
}

/** A namespace that discoverySelectors leave out, so that istiod reads nothing in it. Null when its labels were not read. */
export function isUndiscovered({ mesh, store }: Situation, namespace: string): boolean | null {
  if (mesh.discoverySelectors.length === 0) return false
  const stored = store.get('Namespace', null, namespace)
  if (!stored) return null
  const labels = stored.object.metadata.labels ?? {}
  return !mesh.discoverySelectors.some((selector) => selects(selector, labels))
}

/** Whether an object has to do with this call: by host, or by the pods that it selects. */
export function concernsCall(situation: Situation, { object }: Stored): boolean {
  const { server, rootNamespace } = situation
  const host = server.host
  const namespace = object.metadata.namespace ?? ''
  const covers = (name: unknown) =>
    host !== null && typeof name === 'string' && hostsMatch(resolveHost(name, namespace), host)
  switch (object.kind) {
    case 'VirtualService':
      return host !== null && concernsHost(object, host)
    case 'DestinationRule':
      return covers(object.spec?.host)
    case 'ServiceEntry':
      return textsIn(object.spec?.hosts).some(covers)
    case 'AuthorizationPolicy':
    case 'RequestAuthentication':
    case 'PeerAuthentication':
      return server.pods.some((pod) => attachment(object, workloadOf(pod), situation.mesh).attaches === true)
    case 'Gateway':
      return situation.gateway !== null
    default: {
      const labels = object.spec?.workloadSelector?.labels
      const reaches = (pod: PodView) =>
        (pod.namespace === namespace || namespace === rootNamespace) && (!labels || matchesLabels(labels, pod.labels))
      return proxiesOnTheWay(situation).some(reaches)
    }
  }
}
