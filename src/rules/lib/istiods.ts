import type { Quote } from '../../model/evidence.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'

/** Pods of istiod in the control plane's namespace, of every revision. */
export function istiods({ pods, given }: Situation): readonly PodView[] {
  return pods.filter(({ namespace, labels }) => namespace === given.istioNamespace && isIstiod(labels))
}

function isIstiod(labels: Readonly<Record<string, string>>): boolean {
  return labels.app === 'istiod' || labels['app.kubernetes.io/name'] === 'istiod' || labels.istio === 'pilot'
}

export function readyIstiods(situation: Situation): readonly { readonly pod: PodView; readonly quote: Quote }[] {
  return istiods(situation)
    .filter(({ ready }) => ready)
    .map((pod) => ({ pod, quote: quote(pod.entry, `${pod.name} is ready`, 'conditions: Ready=True') }))
}

/** Deployments that should run istiod. None in a cluster whose control plane is managed or elsewhere: absence is no fault. */
export function istiodDeployments({ store, given }: Situation): readonly Stored[] {
  return store
    .list('Deployment', given.istioNamespace)
    .filter(({ object }) => isIstiod(object.spec?.template?.metadata?.labels ?? object.metadata.labels ?? {}))
}

export function revisionOf({ labels }: Pick<PodView, 'labels'>): string {
  return labels['istio.io/rev'] ?? 'default'
}

/** Revisions of the proxies on this call; an unlabelled one is the default. */
export function revisionsOfCall({ client, server, gateway, waypoint }: Situation): readonly string[] {
  const pods = [...client.pods, ...server.pods, ...(gateway?.pods ?? []), ...(waypoint?.pods ?? [])]
  return [...new Set(pods.flatMap(({ revision }) => (revision === null ? [] : [revision])))]
}
