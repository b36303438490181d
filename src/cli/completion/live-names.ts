import { createLive } from '../../exec/live.ts'
import type { Io } from '../io.ts'

export interface CompletionCluster {
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  readonly as?: string | undefined
}

/** A person waits for the tab key, one second at most with our own start. What does not answer in this time has nothing to say. */
const longestWaitMs = 600
const killGraceMs = 50

/** Kubernetes names need no quoting in any shell; anything else is not offered. */
const safeName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

const short: Readonly<Record<string, string>> = {
  pod: 'pod',
  service: 'svc',
  'deployment.apps': 'deploy',
  'statefulset.apps': 'sts',
  'daemonset.apps': 'ds',
}

export interface LiveNames {
  readonly namespaces: () => Promise<readonly string[]>
  /** `deploy/web`, `svc/ledger`, …: pods last, there are most of them. */
  readonly workloads: (namespace: string | undefined) => Promise<readonly string[]>
}

/** Names from the cluster, in time or not at all. Never fails: a shell has no place for an error. */
export function liveNames(io: Io, { context, kubeconfig, as }: CompletionCluster): LiveNames {
  const live = createLive({
    env: io.env,
    killGraceMs,
    ...(context ? { context } : {}),
    ...(kubeconfig ? { kubeconfig } : {}),
    ...(as ? { as } : {}),
  })
  const ask = async (args: readonly string[]) => {
    const { exit, stdout } = await live.run(
      { file: 'kubectl', args: [...args, '-o', 'name'], timeoutMs: longestWaitMs },
      io.interrupt,
    )
    // Exit code 1 with names is half an answer (some kinds are forbidden), and here as good as a whole one.
    return exit.kind === 'exited' ? stdout.split('\n').map((line) => line.trim()) : []
  }
  return {
    async namespaces() {
      const lines = await ask(['get', 'namespaces'])
      return lines.map((line) => line.replace(/^namespace\//, '')).filter((name) => safeName.test(name))
    },
    async workloads(namespace) {
      const where = namespace === undefined ? [] : ['-n', namespace]
      const lines = await ask(['get', 'deployments,statefulsets,daemonsets,services,pods', ...where])
      return lines.flatMap((line) => {
        const [kind = '', name = ''] = line.split('/')
        return short[kind] && safeName.test(name) ? [`${short[kind]}/${name}`] : []
      })
    },
  }
}
