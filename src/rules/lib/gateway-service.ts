import type { Stored } from '../../situation/objects.ts'
import { matchesLabels } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'

export interface ExposedPort {
  readonly port: number
  readonly name: string | null
  readonly targetPort: number | string
}

/** Services that lead to the gateway's pods. */
export function gatewayServices({ store, gateway }: Situation): readonly Stored[] {
  const pods = gateway?.pods ?? []
  return store
    .list('Service')
    .filter(({ object }) =>
      pods.some(
        (pod) => pod.namespace === object.metadata.namespace && matchesLabels(object.spec?.selector, pod.labels),
      ),
    )
}

export function exposedPorts({ object }: Stored): readonly ExposedPort[] {
  const ports: unknown = object.spec?.ports
  if (!Array.isArray(ports)) return []
  return ports.map((one) => ({
    port: Number(one?.port),
    name: typeof one?.name === 'string' ? one.name : null,
    targetPort: one?.targetPort ?? one?.port,
  }))
}

/** The port of the gateway that the caller dials, as far as anybody said it. */
export function dialledPort({ hints, pasted, symptom }: Situation): number | null {
  if (pasted.curl?.port) return pasted.curl.port
  if (hints.port !== null && pasted.curl) return hints.port
  return symptom === 'tls' ? 443 : null
}

/** A response that says who wrote it, and it was no Envoy: what stands before the gateway answered. */
export function answeredBefore({ pasted, gateway, symptom }: Situation): string | null {
  const { curl } = pasted
  if (!curl || !gateway || String(curl.status) !== symptom) return null
  const header = (name: string) => curl.responseHeaders.find(([key]) => key.toLowerCase() === name)?.[1] ?? null
  const server = header('server')
  const touched = curl.responseHeaders.some(([key]) => key.toLowerCase().startsWith('x-envoy-'))
  return server !== null && !touched && !/envoy/i.test(server) ? server : null
}
