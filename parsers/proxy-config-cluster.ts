import { z } from 'zod'
import { defineParser } from '../src/model/parser.ts'
import { readEntries } from './lib/proxy-config-json.ts'

const TransportSocketMatch = z.looseObject({
  name: z.string().optional(),
  match: z.record(z.string(), z.any()).optional(),
  transportSocket: z.any().optional(),
})

export const EnvoyCluster = z.looseObject({
  name: z.string(),
  /** Absent means STATIC, Envoy's zero value. */
  type: z.string().optional(),
  clusterType: z.any().optional(),
  edsClusterConfig: z.any().optional(),
  loadAssignment: z.any().optional(),
  lbPolicy: z.string().optional(),
  transportSocket: z.any().optional(),
  transportSocketMatches: z.array(TransportSocketMatch).optional(),
  circuitBreakers: z.any().optional(),
  outlierDetection: z.any().optional(),
  connectTimeout: z.string().optional(),
  metadata: z.any().optional(),
})
export type EnvoyCluster = z.infer<typeof EnvoyCluster>

const ofClusters = [
  'type',
  'clusterType',
  'edsClusterConfig',
  'loadAssignment',
  'connectTimeout',
  'lbPolicy',
  'transportSocket',
  'transportSocketMatches',
  'altStatName',
  'circuitBreakers',
]
const ofEndpoints = ['hostStatuses', 'addedViaApi', 'observabilityName']

export const readClusters = (source: unknown): readonly EnvoyCluster[] =>
  readEntries(
    source,
    'cluster',
    (entry) =>
      typeof entry.name === 'string' &&
      ofClusters.some((key) => key in entry) &&
      !ofEndpoints.some((key) => key in entry),
  )

/** `istioctl proxy-config cluster -o json`. */
export default defineParser<readonly EnvoyCluster[]>({
  name: 'proxy-config-cluster',
  schema: z.array(EnvoyCluster),
  parse: readClusters,
})
