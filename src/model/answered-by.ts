import { z } from 'zod'

/** Who produced the response or the reset. */
export const AnsweredByHop = z.enum([
  'app',
  'server-proxy',
  'client-proxy',
  'gateway',
  'egress-gateway',
  'waypoint',
  'ztunnel',
  'external',
  'nobody',
  'unknown',
])
export type AnsweredByHop = z.infer<typeof AnsweredByHop>

export const Certainty = z.enum(['proven', 'likely', 'possible'])
export type Certainty = z.infer<typeof Certainty>
