import { z } from 'zod'
import { defineParser } from '../src/model/parser.ts'
import { readEntries } from './lib/proxy-config-json.ts'

export const EnvoyRoute = z.looseObject({
  name: z.string().optional(),
  match: z.any().optional(),
  route: z.any().optional(),
  redirect: z.any().optional(),
  directResponse: z.any().optional(),
  metadata: z.any().optional(),
  decorator: z.any().optional(),
  typedPerFilterConfig: z.any().optional(),
})
export type EnvoyRoute = z.infer<typeof EnvoyRoute>

export const VirtualHost = z.looseObject({
  name: z.string().optional(),
  domains: z.array(z.string()).optional(),
  routes: z.array(EnvoyRoute).optional(),
  requireTls: z.string().optional(),
  metadata: z.any().optional(),
})
export type VirtualHost = z.infer<typeof VirtualHost>

export const RouteConfiguration = z.looseObject({
  name: z.string().optional(),
  virtualHosts: z.array(VirtualHost).optional(),
  ignorePortInHostMatching: z.boolean().optional(),
})
export type RouteConfiguration = z.infer<typeof RouteConfiguration>

// Inline routes of static listeners have no name, gateways without hosts no virtual hosts: only other kinds' keys are a refusal.
const ofRoutes = ['virtualHosts', 'name', 'validateClusters', 'ignorePortInHostMatching', 'vhds']
const ofOthers = [
  'filterChains',
  'address',
  'lbPolicy',
  'connectTimeout',
  'loadAssignment',
  'hostStatuses',
  'clusterName',
]

export const readRoutes = (source: unknown): readonly RouteConfiguration[] =>
  readEntries(
    source,
    'route configuration',
    (entry) =>
      ofRoutes.some((key) => key in entry) &&
      !ofOthers.some((key) => key in entry) &&
      (entry.virtualHosts === undefined || Array.isArray(entry.virtualHosts)),
  )

/** `istioctl proxy-config route -o json`. */
export default defineParser<readonly RouteConfiguration[]>({
  name: 'proxy-config-route',
  schema: z.array(RouteConfiguration),
  parse: readRoutes,
})
