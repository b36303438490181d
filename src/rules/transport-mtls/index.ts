import type { MeshRule } from '../define-rule.ts'
import drMutualToNonmesh from './dr-mutual-to-nonmesh.ts'
import drTlsDisableVsStrict from './dr-tls-disable-vs-strict.ts'
import headlessPodip503 from './headless-podip-503.ts'
import peerauthScopeSurprise from './peerauth-scope-surprise.ts'
import prometheusScrapeStrict from './prometheus-scrape-strict.ts'
import strictPlaintextClient from './strict-plaintext-client.ts'
import tcpIdle1h from './tcp-idle-1h.ts'

export const transportRules: readonly MeshRule[] = [
  drMutualToNonmesh,
  drTlsDisableVsStrict,
  headlessPodip503,
  peerauthScopeSurprise,
  prometheusScrapeStrict,
  strictPlaintextClient,
  tcpIdle1h,
]
