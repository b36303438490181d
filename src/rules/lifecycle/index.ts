import type { MeshRule } from '../define-rule.ts'
import appBeforeProxy from './app-before-proxy.ts'
import initContainerNetwork from './init-container-network.ts'
import jobNeverCompletes from './job-never-completes.ts'
import proxyCpuLatency from './proxy-cpu-latency.ts'
import proxyExitsFirst from './proxy-exits-first.ts'
import proxyOom from './proxy-oom.ts'
import ucPodShutdown from './uc-pod-shutdown.ts'

export const lifecycleRules: readonly MeshRule[] = [
  appBeforeProxy,
  initContainerNetwork,
  jobNeverCompletes,
  proxyCpuLatency,
  proxyExitsFirst,
  proxyOom,
  ucPodShutdown,
]
