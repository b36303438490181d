import { z } from 'zod'
import { defineParser } from '../src/model/parser.ts'
import { readEntries } from './lib/proxy-config-json.ts'

const CidrRange = z.looseObject({ addressPrefix: z.string().optional(), prefixLen: z.number().optional() })

export const FilterChainMatch = z.looseObject({
  destinationPort: z.number().optional(),
  prefixRanges: z.array(CidrRange).optional(),
  sourcePrefixRanges: z.array(CidrRange).optional(),
  serverNames: z.array(z.string()).optional(),
  transportProtocol: z.string().optional(),
  applicationProtocols: z.array(z.string()).optional(),
})
export type FilterChainMatch = z.infer<typeof FilterChainMatch>

/** A network, HTTP or listener filter. What `typedConfig` holds depends on its `@type`. */
export const Filter = z.looseObject({ name: z.string().optional(), typedConfig: z.any().optional() })
export type Filter = z.infer<typeof Filter>

export const FilterChain = z.looseObject({
  name: z.string().optional(),
  filterChainMatch: FilterChainMatch.optional(),
  filters: z.array(Filter).optional(),
  transportSocket: z.any().optional(),
  metadata: z.any().optional(),
})
export type FilterChain = z.infer<typeof FilterChain>

export const EnvoyListener = z.looseObject({
  name: z.string().optional(),
  address: z.any().optional(),
  additionalAddresses: z.array(z.any()).optional(),
  internalListener: z.any().optional(),
  filterChains: z.array(FilterChain).optional(),
  defaultFilterChain: FilterChain.optional(),
  filterChainMatcher: z.any().optional(),
  listenerFilters: z.array(Filter).optional(),
  trafficDirection: z.string().optional(),
  useOriginalDst: z.boolean().optional(),
  bindToPort: z.boolean().optional(),
  metadata: z.any().optional(),
})
export type EnvoyListener = z.infer<typeof EnvoyListener>

const parts = ['address', 'filterChains', 'defaultFilterChain', 'internalListener', 'apiListener', 'listenerFilters']

export const readListeners = (source: unknown): readonly EnvoyListener[] =>
  readEntries(source, 'listener', (entry) => parts.some((part) => part in entry))

/** `istioctl proxy-config listener -o json`. */
export default defineParser<readonly EnvoyListener[]>({
  name: 'proxy-config-listener',
  schema: z.array(EnvoyListener),
  parse: readListeners,
})
