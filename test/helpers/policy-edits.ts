import { parseAccessLog } from '../../parsers/access-log.ts'
import type { AccessLogRecord } from '../../src/model/access-log.ts'
import { type Edit, editJson, editText } from './session-fixtures.ts'

type Spec = Record<string, unknown>

/** The spec of a policy in the fixtures, replaced. */
export function setSpec(namespace: string, kind: string, name: string, change: (spec: any) => Spec): Edit {
  return editJson(new RegExp(`get \\S*policies\\S* -n ${namespace} `), (list) => ({
    ...list,
    items: list.items.map((item: any) =>
      item.kind === kind && item.metadata.name === name ? { ...item, spec: change(item.spec) } : item,
    ),
  }))
}

/** A policy added to a namespace. */
export function addObject(namespace: string, kind: string, name: string, spec: Spec, metadata: Spec = {}): Edit {
  return editJson(new RegExp(`get \\S*policies\\S* -n ${namespace} `), (list) => ({
    ...list,
    items: [
      ...list.items,
      { apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace, ...metadata }, spec },
    ],
  }))
}

/** Access logs of pods whose names begin so, changed line by line. */
export function editLog(pods: string, change: (line: string) => string): Edit {
  return editText(new RegExp(`logs ${pods}`), (text) => text.split('\n').map(change).join('\n'))
}

const keys: readonly (readonly [string, keyof AccessLogRecord])[] = [
  ['start_time', 'time'],
  ['method', 'method'],
  ['path', 'path'],
  ['protocol', 'protocol'],
  ['response_code', 'code'],
  ['response_code_details', 'details'],
  ['connection_termination_details', 'termination'],
  ['upstream_transport_failure_reason', 'transportFailure'],
  ['bytes_received', 'bytesReceived'],
  ['bytes_sent', 'bytesSent'],
  ['duration', 'durationMs'],
  ['x_forwarded_for', 'forwardedFor'],
  ['user_agent', 'userAgent'],
  ['request_id', 'requestId'],
  ['authority', 'authority'],
  ['upstream_host', 'upstreamHost'],
  ['upstream_cluster', 'upstreamCluster'],
  ['upstream_local_address', 'upstreamLocal'],
  ['downstream_local_address', 'downstreamLocal'],
  ['downstream_remote_address', 'downstreamRemote'],
  ['requested_server_name', 'sni'],
  ['route_name', 'routeName'],
]

/** All access logs as a mesh with accessLogEncoding: JSON prints them. */
export const logsAsJson: Edit = editText(/logs \S+ -n \S+ -c istio-proxy/, (text) =>
  parseAccessLog(text)
    .records.map((record) =>
      JSON.stringify({
        ...Object.fromEntries(keys.map(([key, field]) => [key, record[field]])),
        response_flags: record.flags.join(',') || '-',
        upstream_service_time: record.upstreamTimeMs === null ? null : String(record.upstreamTimeMs),
      }),
    )
    .join('\n'),
)
