import type { KubeObject } from '../model/kube.ts'
import type { ObjectStore, Stored } from './objects.ts'
import { matchesLabels, type PodView, viewPod } from './pods.ts'

/** Whom a Service that selects nobody is for, to say what would fail once it reaches them: by name, or by what is scaled to none. */
export function meantPod(service: Stored, store: ObjectStore, pods: readonly PodView[]): PodView | null {
  const { name, namespace = 'default' } = service.object.metadata
  const here = pods.filter((pod) => pod.namespace === namespace)
  const named = here.filter(
    ({ workload, labels }) =>
      workload?.name === name || labels.app === name || labels['app.kubernetes.io/name'] === name,
  )
  return named.find(({ ready }) => ready) ?? named[0] ?? fromTemplate(service, store, here)
}

function fromTemplate({ object: service }: Stored, store: ObjectStore, here: readonly PodView[]): PodView | null {
  const found = store
    .list('Deployment', service.metadata.namespace)
    .find(({ object }) => matchesLabels(service.spec?.selector, object.spec?.template?.metadata?.labels ?? {}))
  const template = found?.object.spec?.template
  if (!found || !template || here.some(({ proxy }) => proxy === 'ambient')) return null
  const { labels = {}, annotations = {} } = template.metadata ?? {}
  const isOptedOut = [labels, annotations].some((from) => from['sidecar.istio.io/inject'] === 'false')
  // What injection adds stands in pods only: its neighbours show whether the namespace has it.
  const proxy = !isOptedOut && here.some(({ hasEnvoy }) => hasEnvoy) ? [{ name: 'istio-proxy' }] : []
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `deploy/${found.object.metadata.name}`,
      namespace: service.metadata.namespace ?? 'default',
      labels,
      annotations,
    },
    spec: { ...template.spec, containers: [...(template.spec?.containers ?? []), ...proxy] },
  }
  return viewPod({ ...found, object })
}
