import { z } from 'zod'
import { defineParser } from '../src/model/parser.ts'
import { readClustersJson } from './lib/envoy-clusters-json.ts'
import { readClustersText } from './lib/envoy-clusters-text.ts'
import { jsonStart } from './lib/kubectl-json.ts'

const Thresholds = z.object({
  maxConnections: z.number().nullable(),
  maxPendingRequests: z.number().nullable(),
  maxRequests: z.number().nullable(),
  maxRetries: z.number().nullable(),
})

const EnvoyHost = z.object({
  /** `ip:port`, `[ipv6]:port`, a socket's path, or `envoy://listener/endpoint`. */
  address: z.string(),
  ip: z.string().nullable(),
  port: z.number().nullable(),
  hostname: z.string().nullable(),
  /** Envoy's health flags as the text format names them; unknown ones are kept. */
  healthFlags: z.array(z.string()),
  /** No flag that takes the host out of load balancing. Degraded hosts count as healthy, as they do for Envoy. */
  healthy: z.boolean(),
  /** Outlier detection has it ejected now. */
  ejected: z.boolean(),
  weight: z.number().nullable(),
  priority: z.number(),
  region: z.string().nullable(),
  zone: z.string().nullable(),
  /** Percent; null where there were too few requests to tell. */
  successRate: z.number().nullable(),
  /** `cx_total`, `cx_connect_fail`, `rq_error`, … since the host became known to the proxy. */
  stats: z.record(z.string(), z.number()),
})

const EnvoyCluster = z.object({
  name: z.string(),
  edsServiceName: z.string().nullable(),
  addedViaApi: z.boolean(),
  circuitBreakers: z.object({ default: Thresholds.nullable(), high: Thresholds.nullable() }),
  hosts: z.array(EnvoyHost),
})

export type EnvoyThresholds = z.infer<typeof Thresholds>
export type EnvoyHost = z.infer<typeof EnvoyHost>
export type EnvoyCluster = z.infer<typeof EnvoyCluster>

/** Envoy's `clusters`, as text or `?format=json`. Both give the same data. */
export default defineParser({
  name: 'envoy-clusters',
  schema: z.array(EnvoyCluster),
  parse: (text): EnvoyCluster[] => (jsonStart(text) === undefined ? readClustersText(text) : readClustersJson(text)),
})
