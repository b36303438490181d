import type { AnyRule } from '../../model/finding.ts'
import dnsCaptureNxdomain from './dns-capture-nxdomain.ts'
import doubleTlsEgress from './double-tls-egress.ts'
import egressGatewayChainBroken from './egress-gateway-chain-broken.ts'
import externalLbIpChange503 from './external-lb-ip-change-503.ts'
import registryOnly502 from './registry-only-502.ts'
import serviceentryDns503 from './serviceentry-dns-503.ts'

export const egressRules: readonly AnyRule[] = [
  dnsCaptureNxdomain,
  doubleTlsEgress,
  egressGatewayChainBroken,
  externalLbIpChange503,
  registryOnly502,
  serviceentryDns503,
]
