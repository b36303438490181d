import type {
  Describe,
  DescribedRule,
  DescribedService,
  DescribedTrafficPolicy,
  DescribedVirtualService,
} from './describe-shape.ts'

// Each function reads one unindented line below a heading and says whether it understood it.

type Pod = NonNullable<Describe['pod']>
type PeerAuthentication = NonNullable<Describe['peerAuthentication']>

export function readPodDetail(pod: Pod, line: string): boolean {
  const revision = /^Pod Revision:(.*)$/.exec(line)
  const ports = /^Pod Ports: (.*)$/.exec(line)
  const phase = /^Pod is not Running \((.*)\)$/.exec(line)
  const notReady = /^WARNING: Pod \S+ (Init )?Container (\S+) NOT READY$/.exec(line)
  if (revision) pod.revision = revision[1]!.trim() || null
  else if (ports)
    for (const [, port, container] of ports[1]!.matchAll(/(\d+)(?:\/\w+)? \(([^)]*)\)/g))
      pod.ports.push({ port: Number(port), container: container! })
  else if (phase) pod.notRunning = phase[1]!
  else if (notReady) pod.notReady.push({ container: notReady[2]!, init: notReady[1] !== undefined })
  else if (/^WARNING: \S+ is not part of mesh/.test(line)) pod.withoutSidecar = true
  else return /^Pod does not expose ports$|^Warning: No Kubernetes Services select pod /.test(line)
  return true
}

export function readServiceDetail(service: DescribedService, line: string): boolean {
  const port = /^Port: (\S*) (\d+)\/(\S+) targets pod port (\S+)$/.exec(line)
  const policies = /^RBAC policies: (.*)$/.exec(line)
  if (port) {
    const [raw, name, number, protocol, targetPort] = port
    service.ports.push({ name: name!, port: Number(number), protocol: protocol!, targetPort: targetPort!, raw })
  } else if (policies) {
    const names = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[([^\]]*)\]/g
    for (const [raw, namespace, policy, rule] of policies[1]!.matchAll(names))
      service.rbacPolicies.push({ namespace: namespace!, policy: policy!, rule: rule!, raw })
  } else return false
  return true
}

export function readRuleDetail(rule: DescribedRule, portOfSettings: string | null, line: string): boolean {
  const noMatch = /^WARNING POD DOES NOT MATCH ANY SUBSETS\. +\(Non matching subsets (.*)\)$/.exec(line)
  const matching = /^Matching subsets:(.*)$/.exec(line)
  const nonMatching = /^\(Non-matching subsets (.*)\)$/.exec(line)
  const mode = /^(?:Traffic Policy )?TLS Mode: (\S+)$/.exec(line)
  // Up to 1.21 the list stands without a word in front.
  const policies = /^(?:Policies: )?((?:load balancer|connection pool|outlier detection)(?:\/[a-z ]+)*)$/.exec(line)
  if (noMatch) {
    rule.matchesAnySubset = false
    rule.nonMatchingSubsets = listOf(noMatch[1]!)
  } else if (matching) rule.matchingSubsets = listOf(matching[1]!)
  else if (nonMatching) rule.nonMatchingSubsets = listOf(nonMatching[1]!)
  else if (mode) trafficPolicyOf(rule, portOfSettings).tlsMode = mode[1]!
  else if (policies) trafficPolicyOf(rule, portOfSettings).policies.push(...policies[1]!.split('/'))
  else return line === 'No Traffic Policy'
  return true
}

function trafficPolicyOf(rule: DescribedRule, port: string | null): DescribedTrafficPolicy {
  const policy = (port === null ? rule.trafficPolicy : rule.portLevel[port]) ?? { tlsMode: null, policies: [] }
  if (port === null) rule.trafficPolicy = policy
  else rule.portLevel[port] = policy
  return policy
}

export function readVirtualServiceDetail(virtualService: DescribedVirtualService, line: string): boolean {
  const route = /^Route to host "([^"]*)"(?: subset "([^"]*)")?(?: with weight (\d+)%)?/.exec(line)
  const match = /^Match: (.*)$/.exec(line)
  const fault = /^Fault injection (.*)$/.exec(line)
  const count = /^(\d+) (?:HTTP|TCP) route\(s\)$/.exec(line)
  const unknown = /^Warning: Route to (?:UNKNOWN )?subset ([^\s;]+);? (?:check|but NO DESTINATION RULE)/.exec(line)
  if (route) {
    const weightPercent = route[3] === undefined ? null : Number(route[3])
    virtualService.routes.push({ host: route[1]!, subset: route[2] ?? null, weightPercent, raw: line })
  } else if (match) virtualService.matches.push(match[1]!)
  else if (fault) virtualService.faultInjection.push(fault[1]!)
  else if (count) virtualService.httpRoutes = Number(count[1])
  else if (unknown) {
    virtualService.unknownSubsets.push(unknown[1]!)
    virtualService.warnings.push(line)
  } else if (/^WARNING: No destinations match pod subsets/.test(line)) virtualService.warnings.push(line)
  else if (/^Route to non-matching subset |^\d+ additional destination/.test(line)) virtualService.notes.push(line)
  else return false
  return true
}

export function readPeerAuthenticationDetail(peer: PeerAuthentication, isApplied: boolean, line: string): boolean {
  const mode = /^Workload mTLS mode: (\S+)$/.exec(line)
  const port = /^(\d+): (\S+)$/.exec(line)
  if (mode) peer.mode = mode[1]!
  else if (port) peer.ports[port[1]!] = port[2]!
  else if (isApplied && /^[a-z0-9][a-z0-9.-]*(?:, ?[a-z0-9][a-z0-9.-]*)*$/.test(line))
    peer.applied.push(...listOf(line))
  else return line === 'Port Level mTLS mode:'
  return true
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}
