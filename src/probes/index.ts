import type { AnyProbe } from '../model/probe.ts'
import { hosts, serverInfo, stats } from './envoy.ts'
import {
  analyze,
  clientVersion,
  clusters,
  eds,
  endpoints,
  listeners,
  proxyStatus,
  routes,
  secrets,
  version,
} from './istioctl.ts'
import {
  apiResources,
  callers,
  config,
  context,
  events,
  gatewayPods,
  ingressClasses,
  kubeVersion,
  meshConfig,
  namespaces,
  podsByIp,
  published,
  routing,
  secretNames,
  webhooks,
} from './kubectl.ts'
import { accessLog, istiodLog, ztunnelLog } from './logs.ts'
import { ztunnelCertificates, ztunnelPolicies, ztunnelServices, ztunnelWorkloads } from './ztunnel.ts'

/** Everything the walk can ask. What will this run on my cluster? This list, and nothing else. */
export const probes: readonly AnyProbe[] = [
  accessLog,
  analyze,
  apiResources,
  callers,
  clientVersion,
  clusters,
  config,
  context,
  eds,
  endpoints,
  events,
  gatewayPods,
  hosts,
  ingressClasses,
  istiodLog,
  kubeVersion,
  listeners,
  meshConfig,
  namespaces,
  podsByIp,
  proxyStatus,
  published,
  routes,
  routing,
  secretNames,
  secrets,
  serverInfo,
  stats,
  version,
  webhooks,
  ztunnelCertificates,
  ztunnelLog,
  ztunnelPolicies,
  ztunnelServices,
  ztunnelWorkloads,
]

/** Everything a runbook may collect and a rule may need: `server.accessLog`, … */
export const evidenceKeys: ReadonlySet<string> = new Set(
  probes.flatMap(({ name, roles }) => roles.map((role) => `${role}.${name}`)),
)
