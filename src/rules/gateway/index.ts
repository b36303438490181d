import type { MeshRule } from '../define-rule.ts'
import gatewayHostNoRoute from './gateway-host-no-route.ts'
import gatewayPortNotExposed from './gateway-port-not-exposed.ts'
import gwapiBackendInvalid500 from './gwapi-backend-invalid-500.ts'
import gwapiBadCertRef from './gwapi-bad-cert-ref.ts'
import gwapiCrdMissingOrOld from './gwapi-crd-missing-or-old.ts'
import gwapiHostnameMismatch from './gwapi-hostname-mismatch.ts'
import gwapiNotProgrammed from './gwapi-not-programmed.ts'
import gwapiRefNotPermitted from './gwapi-ref-not-permitted.ts'
import gwapiRouteNotAllowed from './gwapi-route-not-allowed.ts'
import hostHeaderWithPort from './host-header-with-port.ts'
import http2Coalescing404 from './http2-coalescing-404.ts'
import ingressCertExpired from './ingress-cert-expired.ts'
import ingressClientCert from './ingress-client-cert.ts'
import ingressCredentialInvalid from './ingress-credential-invalid.ts'
import ingressCredentialMissing from './ingress-credential-missing.ts'
import ingressCredentialUnauthorized from './ingress-credential-unauthorized.ts'
import ingressGatewayConflict from './ingress-gateway-conflict.ts'
import ingressSniMismatch from './ingress-sni-mismatch.ts'
import kubeIngressOrClassMismatch from './kube-ingress-or-class-mismatch.ts'
import lbEdge502 from './lb-edge-502.ts'
import lbIdleTimeout504 from './lb-idle-timeout-504.ts'
import passthroughWithHttpRoutes from './passthrough-with-http-routes.ts'
import redirectLoop from './redirect-loop.ts'
import tlsRoutesOnTerminatingGateway from './tls-routes-on-terminating-gateway.ts'
import vsGatewayRefWrong from './vs-gateway-ref-wrong.ts'
import vsPathMatchOrOrder from './vs-path-match-or-order.ts'

export const gatewayRules: readonly MeshRule[] = [
  gatewayHostNoRoute,
  gatewayPortNotExposed,
  gwapiBackendInvalid500,
  gwapiBadCertRef,
  gwapiCrdMissingOrOld,
  gwapiHostnameMismatch,
  gwapiNotProgrammed,
  gwapiRefNotPermitted,
  gwapiRouteNotAllowed,
  hostHeaderWithPort,
  http2Coalescing404,
  ingressCertExpired,
  ingressClientCert,
  ingressCredentialInvalid,
  ingressCredentialMissing,
  ingressCredentialUnauthorized,
  ingressGatewayConflict,
  ingressSniMismatch,
  kubeIngressOrClassMismatch,
  lbEdge502,
  lbIdleTimeout504,
  passthroughWithHttpRoutes,
  redirectLoop,
  tlsRoutesOnTerminatingGateway,
  vsGatewayRefWrong,
  vsPathMatchOrOrder,
]
