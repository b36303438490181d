import type { SymptomId } from '../model/call.ts'

export interface Demo {
  readonly id: string
  readonly title: string
  readonly symptom: SymptomId
  /** File below fixtures/sessions, without ending. */
  readonly session: string
}

/** Incidents of real meshes, recorded. They need no cluster and no tools. */
export const demos: readonly Demo[] = [
  {
    id: 'tls-conflict',
    title: 'web gets 503 from ledger: one side speaks plaintext, the other insists on mutual TLS',
    symptom: '503',
    session: '503-dr-disable-strict',
  },
  {
    id: 'subset',
    title: 'productpage gets 503 from reviews after a routing change',
    symptom: '503',
    session: '503-subset-undefined',
  },
  {
    id: 'no-endpoints',
    title: 'web gets 503 "no healthy upstream" from orders',
    symptom: '503',
    session: '503-no-endpoints',
  },
  {
    id: 'deny',
    title: 'web gets 403 on /admin although a policy allows it',
    symptom: '403',
    session: '403-deny-beats-allow',
  },
  { id: 'app-403', title: 'web gets 403 and no policy is to blame', symptom: '403', session: '403-from-app' },
  { id: 'issuer', title: 'web gets 401 with a token that looks fine', symptom: '401', session: '401-wrong-issuer' },
  {
    id: 'strict-reset',
    title: 'a batch job gets "connection reset" since this morning',
    symptom: 'reset',
    session: 'reset-strict-legacy',
  },
  {
    id: 'ingress-tls',
    title: 'the TLS handshake at the ingress fails',
    symptom: 'tls',
    session: 'tls-credential-missing',
  },
  {
    id: 'not-applied',
    title: 'a VirtualService has no effect',
    symptom: 'not-applied',
    session: 'not-applied-gateway-only',
  },
  {
    id: 'ambient',
    title: 'ambient mesh: a caller is reset while others pass',
    symptom: 'reset',
    session: 'ambient-l4-deny',
  },
  { id: 'healthy', title: 'somebody reports 503s, and nothing is wrong', symptom: '503', session: 'healthy-strict' },
]
