import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import type { StoredEvent } from './creation-events.ts'
import { containersOf } from './pod-facts.ts'

export interface HttpProbe {
  readonly container: string
  readonly kind: string
  readonly path: string
  readonly port: number | string
  /** Sent to the agent, which asks the application from inside. */
  readonly rewritten: boolean
}

const agentPort = 15020

/** HTTP, TCP and gRPC probes of the application's containers, as the kubelet runs them. */
export function probesOf(pod: PodView): readonly HttpProbe[] {
  return containersOf(pod)
    .filter(({ name }) => name !== 'istio-proxy')
    .flatMap(({ name, spec }) =>
      ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((kind) => {
        const action = spec[kind]?.httpGet ?? spec[kind]?.tcpSocket ?? spec[kind]?.grpc
        if (!action) return []
        const path = String(action.path ?? '')
        return {
          container: name,
          kind,
          path,
          port: action.port,
          rewritten: path.startsWith('/app-health/') || Number(action.port) === agentPort,
        }
      }),
    )
}

/** Failing probes of a pod, as the kubelet reported them, the latest last. */
export function probeFailures(situation: Situation, pod: PodView, pattern: RegExp): readonly StoredEvent[] {
  return situation.events.filter(
    ({ reason, object, message }) =>
      (reason === 'Unhealthy' || reason === 'ProbeWarning') && object.name === pod.name && pattern.test(message),
  )
}
