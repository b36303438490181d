import type { AccessLogRecord } from '../../model/access-log.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { StrictFinding } from '../strict-readiness.ts'

interface PodLog {
  readonly pod: string
  readonly records: readonly AccessLogRecord[]
}

/** Plaintext that servers in scope accepted. A server name in an inbound line means mutual TLS of the mesh; none means that there was none. */
export function observedPlaintext(
  logs: readonly PodLog[],
  servers: readonly KubeObject[],
  pods: readonly KubeObject[],
): { readonly findings: readonly StrictFinding[]; readonly looked: ReadonlySet<string> } {
  const names = new Set(servers.map(nameOf))
  const owners = new Map(
    pods.flatMap((pod) =>
      pod.status?.podIP && pod.spec?.hostNetwork !== true ? [[String(pod.status.podIP), nameOf(pod)] as const] : [],
    ),
  )
  const looked = new Set<string>()
  const calls = new Map<string, { caller: string; server: string; port: string; count: number; sample: string }>()
  for (const { pod, records } of logs) {
    if (!names.has(pod)) continue
    for (const record of records) {
      if (!record.upstreamCluster?.startsWith('inbound|')) continue
      looked.add(pod)
      if (record.sni !== null) continue
      const [address, remotePort] = splitPort(record.downstreamRemote ?? '')
      // Port 0 means that the address was taken from X-Forwarded-For and is not the peer's.
      const caller =
        remotePort === '0' ? `unknown caller (X-Forwarded-For ${address})` : (owners.get(address) ?? address)
      const port = record.upstreamCluster.split('|')[1] ?? ''
      const key = `${caller} ${pod} ${port}`
      const known = calls.get(key)
      calls.set(key, { caller, server: pod, port, count: (known?.count ?? 0) + 1, sample: known?.sample ?? record.raw })
    }
  }
  return {
    looked,
    findings: [...calls.values()].map(({ caller, server, port, count, sample }) => ({
      subject: caller,
      kind: 'plaintext-seen',
      effect: 'breaks',
      certainty: 'seen',
      why: `called ${server} port ${port} in plaintext (${count} ${count === 1 ? 'line' : 'lines'} without a server name)`,
      evidence: [sample],
    })),
  }
}

function splitPort(address: string): readonly [string, string] {
  const colon = address.lastIndexOf(':')
  if (colon < 0) return [address, '']
  return [address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), address.slice(colon + 1)]
}

function nameOf(pod: KubeObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`
}
