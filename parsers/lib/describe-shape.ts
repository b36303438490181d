import { z } from 'zod'

const TrafficPolicy = z.object({ tlsMode: z.string().nullable(), policies: z.array(z.string()) })
export type DescribedTrafficPolicy = z.infer<typeof TrafficPolicy>

export const DescribedRule = z.object({
  /** Without namespace when it is the one istioctl was called in. */
  name: z.string(),
  host: z.string(),
  /** Where the service has several ports (1.22 and later). */
  port: z.number().nullable(),
  matchesAnySubset: z.boolean(),
  matchingSubsets: z.array(z.string()),
  nonMatchingSubsets: z.array(z.string()),
  trafficPolicy: TrafficPolicy.nullable(),
  portLevel: z.record(z.string(), TrafficPolicy),
})
export type DescribedRule = z.infer<typeof DescribedRule>

export const DescribedVirtualService = z.object({
  name: z.string(),
  port: z.number().nullable(),
  routes: z.array(
    z.object({
      host: z.string(),
      subset: z.string().nullable(),
      weightPercent: z.number().nullable(),
      raw: z.string(),
    }),
  ),
  matches: z.array(z.string()),
  faultInjection: z.array(z.string()),
  httpRoutes: z.number().nullable(),
  /** Subsets that a route names and no DestinationRule defines. */
  unknownSubsets: z.array(z.string()),
  warnings: z.array(z.string()),
  notes: z.array(z.string()),
})
export type DescribedVirtualService = z.infer<typeof DescribedVirtualService>

export const DescribedService = z.object({
  name: z.string(),
  ports: z.array(
    z.object({ name: z.string(), port: z.number(), protocol: z.string(), targetPort: z.string(), raw: z.string() }),
  ),
  destinationRules: z.array(DescribedRule),
  virtualServices: z.array(DescribedVirtualService),
  /** `ns[pay]-policy[allow]-rule[0]`, as the proxy's filters name them. */
  rbacPolicies: z.array(z.object({ namespace: z.string(), policy: z.string(), rule: z.string(), raw: z.string() })),
  /** Null: not said. */
  hasPods: z.boolean().nullable(),
  hasMeshPods: z.boolean().nullable(),
})
export type DescribedService = z.infer<typeof DescribedService>

export const Describe = z.object({
  pod: z
    .object({
      name: z.string(),
      revision: z.string().nullable(),
      ports: z.array(z.object({ port: z.number(), container: z.string() })),
      notRunning: z.string().nullable(),
      withoutSidecar: z.boolean(),
      notReady: z.array(z.object({ container: z.string(), init: z.boolean() })),
    })
    .nullable(),
  services: z.array(DescribedService),
  /** Null: not printed, which happens whenever the command ended early. */
  peerAuthentication: z
    .object({ mode: z.string().nullable(), ports: z.record(z.string(), z.string()), applied: z.array(z.string()) })
    .nullable(),
  ingress: z.array(z.object({ gateway: z.string(), virtualServices: z.array(DescribedVirtualService) })),
  gatewaySkipped: z.string().nullable(),
  /** Every line that warns, wherever it stood, unindented. */
  warnings: z.array(z.string()),
  other: z.array(z.string()),
  logLines: z.array(z.string()),
})
export type Describe = z.infer<typeof Describe>
