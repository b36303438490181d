import type { AccessLogRecord } from '../model/access-log.ts'
import type { KubeObject } from '../model/kube.ts'
import type { MeshConfig } from './mesh-config.ts'
import { peerAuth } from './peer-auth.ts'
import { plaintextRules } from './strict-readiness/destination-rules.ts'
import { observedPlaintext } from './strict-readiness/observed.ts'
import { failingProbes, portsOutsideTheMesh } from './strict-readiness/pod-settings.ts'
import { classifyPod, hasEnvoy, type PodClass } from './workload.ts'

export type StrictScope =
  | { readonly kind: 'mesh' }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'workload'; readonly namespace: string; readonly labels: Readonly<Record<string, string>> }

export interface StrictQuestion {
  readonly scope: StrictScope
  /** All pods that could be looked at, servers as well as possible callers. */
  readonly pods: readonly KubeObject[]
  readonly services: readonly KubeObject[]
  readonly policies: readonly KubeObject[]
  readonly destinationRules: readonly KubeObject[]
  /** Lines of the servers' proxies, by pod `namespace/name`. Without them only configuration is judged. */
  readonly logs?: readonly { readonly pod: string; readonly records: readonly AccessLogRecord[] }[]
  readonly mesh: MeshConfig
}

export interface StrictFinding {
  /** `namespace/name` of the pod or object that would break, or stay open. */
  readonly subject: string
  readonly kind:
    | 'plaintext-seen'
    | 'caller-without-proxy'
    | 'outbound-port-excluded'
    | 'destination-rule'
    | 'probe-without-rewrite'
    | 'tls-mode-label'
    | 'exposed-outside-the-mesh'
    | 'server-without-proxy'
    | 'inbound-port-excluded'
    | 'stays-open'
  /** `breaks`: calls would fail. `stays-open`: STRICT would not take hold there. */
  readonly effect: 'breaks' | 'stays-open'
  /** `seen`: in a log. `configured`: follows from configuration. `possible`: only if such calls are made. */
  readonly certainty: 'seen' | 'configured' | 'possible'
  readonly why: string
  readonly evidence: readonly string[]
}

export interface StrictReadiness {
  /** `unknown` when nothing speaks against it but nobody looked at real traffic. */
  readonly ready: boolean | 'unknown'
  readonly findings: readonly StrictFinding[]
  /** Servers in scope for which no log line was read. */
  readonly notObserved: readonly string[]
}

/** Who would break, and what would stay open, if plaintext were refused in the scope. */
export function strictReadiness(question: StrictQuestion): StrictReadiness {
  const classes = question.pods.map((pod) => ({ pod, ...classifyPod(pod) }))
  const servers = classes.filter((entry) => isInScope(entry, question.scope) && !isGateway(entry))
  const protectedServers = servers.filter(({ workload }) => workload.proxy !== 'none' && workload.proxy !== 'ztunnel')
  const services = question.services.filter((service) => protectedServers.some(({ pod }) => selects(service, pod)))
  const observed = observedPlaintext(
    question.logs ?? [],
    protectedServers.map(({ pod }) => pod),
    classes.map(({ pod }) => pod),
  )
  const findings: StrictFinding[] = [
    ...observed.findings,
    ...classes
      .filter(({ workload }) => workload.proxy === 'none' && !isSystem(workload.namespace))
      .flatMap((entry) => callerWithoutProxy(entry, protectedServers.length > 0)),
    ...classes.flatMap((entry) =>
      hasEnvoy(entry.workload.proxy) ? portsOutsideTheMesh(entry.pod, 'outbound', services) : [],
    ),
    ...plaintextRules(question.destinationRules, services, question.mesh),
    ...protectedServers.flatMap(({ pod, workload }) => [
      ...(hasEnvoy(workload.proxy) ? failingProbes(pod) : []),
      ...(hasEnvoy(workload.proxy) ? tlsModeLabel(pod) : []),
      ...(hasEnvoy(workload.proxy) ? portsOutsideTheMesh(pod, 'inbound', []) : []),
    ]),
    ...services.flatMap(exposed),
    ...servers.filter(({ workload }) => workload.proxy === 'none').map(serverWithoutProxy),
    ...protectedServers.flatMap((entry) => staysOpen(entry, question)),
  ]
  const breaks = findings.filter(({ effect, certainty }) => effect === 'breaks' && certainty !== 'possible')
  const notObserved = protectedServers.map(({ pod }) => podName(pod)).filter((name) => !observed.looked.has(name))
  // Possible breakage keeps the answer open even with clean logs: the calls may simply not have been made.
  const isOpen =
    notObserved.length > 0 || findings.some(({ effect }) => effect === 'breaks') || protectedServers.length === 0
  return { ready: breaks.length > 0 ? false : isOpen ? 'unknown' : true, findings, notObserved }
}

type Classified = PodClass & { readonly pod: KubeObject }

function isInScope({ workload }: Classified, scope: StrictScope): boolean {
  if (scope.kind === 'mesh') return true
  if (workload.namespace !== scope.namespace) return false
  return (
    scope.kind === 'namespace' || Object.entries(scope.labels).every(([key, value]) => workload.labels[key] === value)
  )
}

// Gateways take calls from outside on their own listeners, which PeerAuthentication does not touch.
function isGateway({ workload }: Classified): boolean {
  return workload.proxy === 'gateway' || workload.proxy === 'gateway-api' || workload.proxy === 'waypoint'
}

function isSystem(namespace: string): boolean {
  return /^(kube-|istio-system$|local-path-storage$)/.test(namespace)
}

function callerWithoutProxy({ pod, evidence }: Classified, hasServers: boolean): StrictFinding[] {
  if (!hasServers) return []
  return [
    {
      subject: podName(pod),
      kind: 'caller-without-proxy',
      effect: 'breaks',
      certainty: 'possible',
      why: 'no proxy: whatever it calls in the scope, it calls in plaintext',
      evidence: [evidence],
    },
  ]
}

function serverWithoutProxy({ pod, evidence }: Classified): StrictFinding {
  return {
    subject: podName(pod),
    kind: 'server-without-proxy',
    effect: 'stays-open',
    certainty: 'configured',
    why: 'no proxy at this pod, so nothing refuses plaintext',
    evidence: [evidence],
  }
}

/** Callers send mutual TLS only to endpoints whose pod carries this label; injection sets it unless somebody else did. */
function tlsModeLabel(pod: KubeObject): StrictFinding[] {
  const value = pod.metadata.labels?.['security.istio.io/tlsMode']
  if (value === 'istio') return []
  return [
    {
      subject: podName(pod),
      kind: 'tls-mode-label',
      effect: 'breaks',
      certainty: 'configured',
      why: `label security.istio.io/tlsMode is ${value ?? 'missing'}: callers with automatic mutual TLS send plaintext to this pod`,
      evidence: [`labels of pod ${podName(pod)}`],
    },
  ]
}

function exposed(service: KubeObject): StrictFinding[] {
  const type = service.spec?.type
  if (type !== 'NodePort' && type !== 'LoadBalancer') return []
  return [
    {
      subject: `${service.metadata.namespace}/${service.metadata.name}`,
      kind: 'exposed-outside-the-mesh',
      effect: 'breaks',
      certainty: 'possible',
      why: `Service of type ${type}: calls from outside reach the pods without mutual TLS`,
      evidence: [`spec.type of Service ${service.metadata.namespace}/${service.metadata.name}`],
    },
  ]
}

/** More specific policies than the one to be set would keep their mode. */
function staysOpen({ pod, workload }: Classified, { scope, policies, mesh }: StrictQuestion): StrictFinding[] {
  const ports: readonly (number | null)[] = [
    null,
    ...(pod.spec?.containers ?? []).flatMap((container: { ports?: { containerPort: number }[] }) =>
      (container.ports ?? []).map(({ containerPort }) => containerPort),
    ),
  ]
  const rank = { default: 0, mesh: 1, namespace: 2, workload: 3, port: 4 }
  const scopeRank = rank[scope.kind]
  return ports.flatMap((port) => {
    const { mode, level, winner } = peerAuth(workload, port, policies, mesh)
    if (mode === 'STRICT' || winner === null || rank[level] <= scopeRank) return []
    if (port !== null && level !== 'port') return []
    const name = `${winner.metadata.namespace}/${winner.metadata.name}`
    return [
      {
        subject: podName(pod),
        kind: 'stays-open' as const,
        effect: 'stays-open' as const,
        certainty: 'configured' as const,
        why: `PeerAuthentication ${name} sets ${mode}${port === null ? '' : ` on port ${port}`}, and it is more specific`,
        evidence: [`PeerAuthentication ${name}`],
      },
    ]
  })
}

function selects(service: KubeObject, pod: KubeObject): boolean {
  const selector = Object.entries<string>(service.spec?.selector ?? {})
  if (selector.length === 0 || service.metadata.namespace !== pod.metadata.namespace) return false
  return selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
}

function podName(pod: KubeObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`
}
