import type { MeshRule } from '../define-rule.ts'
import gatewayHostNoRoute from './gateway-host-no-route.ts'
import hostHeaderWithPort from './host-header-with-port.ts'
import http2Coalescing404 from './http2-coalescing-404.ts'
import ingressCredentialInvalid from './ingress-credential-invalid.ts'
import ingressCredentialMissing from './ingress-credential-missing.ts'
import ingressCredentialUnauthorized from './ingress-credential-unauthorized.ts'
import ingressSniMismatch from './ingress-sni-mismatch.ts'
import tlsRoutesOnTerminatingGateway from './tls-routes-on-terminating-gateway.ts'
import vsGatewayRefWrong from './vs-gateway-ref-wrong.ts'
import vsPathMatchOrOrder from './vs-path-match-or-order.ts'

export const gatewayRules: readonly MeshRule[] = [
  gatewayHostNoRoute,
  hostHeaderWithPort,
  http2Coalescing404,
  ingressCredentialInvalid,
  ingressCredentialMissing,
  ingressCredentialUnauthorized,
  ingressSniMismatch,
  tlsRoutesOnTerminatingGateway,
  vsGatewayRefWrong,
  vsPathMatchOrOrder,
]
