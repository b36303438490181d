import type { KubeObject } from '../../model/kube.ts'
import type { ObjectStore } from '../../situation/objects.ts'

const tagged = /:v?(\d+\.\d+(?:\.\d+)?)(?:[-@].*)?$/

/** Versions of the proxies that pods run, told by their images. */
export function proxyVersions(store: ObjectStore): readonly string[] {
  return [...new Set(store.objects('Pod').flatMap((pod) => proxyVersionOf(pod) ?? []))].sort()
}

export function proxyVersionOf({ spec }: KubeObject): string | null {
  const containers: readonly { name?: string; image?: string }[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
  ]
  const proxy = containers.find(({ name }) => name === 'istio-proxy')
  return tagged.exec(proxy?.image ?? '')?.[1] ?? null
}

/** Versions of the control plane, told by the images of istiod. */
export function controlPlaneVersions(store: ObjectStore): readonly string[] {
  const templates = [
    ...store
      .objects('Pod')
      .filter(({ metadata }) => metadata.labels?.app === 'istiod')
      .map(({ spec }) => spec),
    ...store
      .objects('Deployment')
      .filter(({ metadata }) => metadata.labels?.app === 'istiod')
      .map(({ spec }) => spec?.template?.spec),
  ]
  const versions = templates.flatMap((spec) => {
    const containers: readonly { name?: string; image?: string }[] = spec?.containers ?? []
    return tagged.exec(containers.find(({ name }) => name === 'discovery')?.image ?? '')?.[1] ?? []
  })
  return [...new Set(versions)].sort()
}

export function minorOf(version: string): number {
  const [major = '0', minor = '0'] = version.split('.')
  return Number(major) * 100 + Number(minor)
}
