import type { KubeObject } from '../../model/kube.ts'
import type { StrictFinding } from '../strict-readiness.ts'

/** Ports that annotations take out of the proxy's way: outbound ones are called in plaintext, inbound ones are not protected. */
export function portsOutsideTheMesh(
  pod: KubeObject,
  direction: 'inbound' | 'outbound',
  services: readonly KubeObject[],
): StrictFinding[] {
  const annotations = pod.metadata.annotations ?? {}
  const word = direction === 'inbound' ? 'Inbound' : 'Outbound'
  const name = `traffic.sidecar.istio.io/exclude${word}Ports`
  const excluded = (annotations[name] ?? '')
    .split(',')
    .map((port) => port.trim())
    .filter(Boolean)
  const subject = nameOf(pod)
  if (direction === 'inbound') {
    // istiod adds the agent's own ports to the list.
    const own = excluded.filter((port) => !['15020', '15021', '15090'].includes(port))
    if (own.length === 0) return []
    return [
      {
        subject,
        kind: 'inbound-port-excluded',
        effect: 'stays-open',
        certainty: 'configured',
        why: `port ${own.join(', ')} bypasses the proxy, so STRICT does not hold there, and callers of the mesh that use mutual TLS fail`,
        evidence: [`annotation ${name} of pod ${subject}`],
      },
    ]
  }
  const ranges = annotations['traffic.sidecar.istio.io/excludeOutboundIPRanges'] ?? ''
  const hit = services.flatMap((service) =>
    (service.spec?.ports ?? [])
      .filter(({ port, targetPort }: { port: number; targetPort?: unknown }) =>
        excluded.some((entry) => entry === String(port) || (isHeadless(service) && entry === String(targetPort))),
      )
      .map(({ port }: { port: number }) => `${service.metadata.namespace}/${service.metadata.name}:${port}`),
  )
  return [
    ...(hit.length > 0
      ? [
          {
            subject,
            kind: 'outbound-port-excluded' as const,
            effect: 'breaks' as const,
            certainty: 'possible' as const,
            why: `calls to ${hit.join(', ')} leave this pod past its proxy, in plaintext`,
            evidence: [`annotation ${name}=${annotations[name]} of pod ${subject}`],
          },
        ]
      : []),
    ...(ranges !== '' && services.length > 0
      ? [
          {
            subject,
            kind: 'outbound-port-excluded' as const,
            effect: 'breaks' as const,
            certainty: 'possible' as const,
            why: `calls to addresses in ${ranges} leave this pod past its proxy, in plaintext`,
            evidence: [`annotation traffic.sidecar.istio.io/excludeOutboundIPRanges of pod ${subject}`],
          },
        ]
      : []),
  ]
}

/** The kubelet has no certificate. HTTP and gRPC probes only survive STRICT when injection has pointed them at the agent. */
export function failingProbes(pod: KubeObject): StrictFinding[] {
  const containers: readonly Record<string, unknown>[] = pod.spec?.containers ?? []
  const kinds = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const
  const plain = containers
    .filter(({ name }) => name !== 'istio-proxy')
    .flatMap((container) =>
      kinds.flatMap((kind) => (isPlain(container[kind]) ? [`${String(container.name)} ${kind}`] : [])),
    )
  if (plain.length === 0) return []
  return [
    {
      subject: nameOf(pod),
      kind: 'probe-without-rewrite',
      effect: 'breaks',
      certainty: 'configured',
      why: `${plain.join(', ')}: asks the application directly and in plaintext; the probe would fail and the pod be restarted or taken out`,
      evidence: [`probes of pod ${nameOf(pod)}, annotation sidecar.istio.io/rewriteAppHTTPProbers`],
    },
  ]
}

function isPlain(probe: unknown): boolean {
  const { httpGet, grpc } = (probe ?? {}) as {
    httpGet?: { path?: string; port?: unknown; scheme?: string }
    grpc?: unknown
  }
  if (grpc) return true
  if (!httpGet) return false
  return !(httpGet.path ?? '').startsWith('/app-health/')
}

function isHeadless(service: KubeObject): boolean {
  return service.spec?.clusterIP === 'None'
}

function nameOf(pod: KubeObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`
}
