import { vocabulary } from './vocabulary-entry.ts'

/** CONNECTION_TERMINATION_DETAILS, the field after the details. Envoy's core sets it in two places only. */
export const terminationDetails = vocabulary(
  'termination-detail',
  { side: 'any-proxy' },
  {
    'transport socket timeout was reached': {
      layer: 'transport-mtls',
      meaning: 'The peer did not finish the TLS handshake in time, so the proxy closed the connection.',
      next: 'What does the peer send? A health check or a port scan that only opens the connection does this.',
      mistake: 'It contains blanks although it is one field: do not split the line at blanks.',
    },
  },
)
