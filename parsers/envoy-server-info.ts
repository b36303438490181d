import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { isObject, numberOrNull, objectIn, readJsonObject, stringOrNull } from './lib/kubectl-json.ts'

const EnvoyServerInfo = z.object({
  /** `1.38.3`, Envoy's own. */
  envoyVersion: z.string().nullable(),
  /** `LIVE`, `DRAINING`, `PRE_INITIALIZING`, `INITIALIZING`. */
  state: z.string(),
  uptimeSeconds: z.number().nullable(),
  concurrency: z.number().nullable(),
  logLevel: z.string().nullable(),
  componentLogLevel: z.string().nullable(),
  drainSeconds: z.number().nullable(),
  node: z.object({
    id: z.string(),
    /** `sidecar`, `router` or `waypoint`: the first part of the id. */
    type: z.string().nullable(),
    cluster: z.string().nullable(),
    name: z.string().nullable(),
    namespace: z.string().nullable(),
    workload: z.string().nullable(),
    serviceAccount: z.string().nullable(),
    istioVersion: z.string().nullable(),
    clusterId: z.string().nullable(),
    meshId: z.string().nullable(),
    network: z.string().nullable(),
    interceptionMode: z.string().nullable(),
    hbone: z.boolean(),
    labels: z.record(z.string(), z.string()),
  }),
  /** The mesh's defaultConfig with the pod's `proxy.istio.io/config`, as the proxy was started with it. */
  proxyConfig: z.record(z.string(), z.unknown()).nullable(),
})
export type EnvoyServerInfo = z.infer<typeof EnvoyServerInfo>

/** Envoy's `server_info`: which proxy this is, how long it has been up, and what it was started with. */
export default defineParser({
  name: 'envoy-server-info',
  schema: EnvoyServerInfo,
  parse(text): EnvoyServerInfo {
    const info = readJsonObject(text, 'envoy-server-info')
    // LIVE is the zero value, which protobuf's JSON may leave out.
    const state = stringOrNull(info.state) ?? (typeof info.version === 'string' ? 'LIVE' : null)
    if (state === null || !isObject(info.command_line_options))
      throw new ParseError('envoy-server-info: no server state in the JSON')
    const options = info.command_line_options
    const node = objectIn(info.node)
    const metadata = objectIn(node.metadata)
    const id = stringOrNull(node.id) ?? ''
    return {
      envoyVersion: envoyVersionIn(stringOrNull(info.version)),
      state,
      uptimeSeconds: secondsOf(info.uptime_current_epoch),
      concurrency: numberOrNull(options.concurrency),
      logLevel: stringOrNull(options.log_level),
      componentLogLevel: stringOrNull(options.component_log_level),
      drainSeconds: secondsOf(options.drain_time),
      node: {
        id,
        type: id.includes('~') ? (id.split('~')[0] ?? null) : null,
        cluster: stringOrNull(node.cluster),
        name: stringOrNull(metadata.NAME),
        namespace: stringOrNull(metadata.NAMESPACE),
        workload: stringOrNull(metadata.WORKLOAD_NAME),
        serviceAccount: stringOrNull(metadata.SERVICE_ACCOUNT),
        istioVersion: stringOrNull(metadata.ISTIO_VERSION),
        clusterId: stringOrNull(metadata.CLUSTER_ID),
        meshId: stringOrNull(metadata.MESH_ID),
        network: stringOrNull(metadata.NETWORK),
        interceptionMode: stringOrNull(metadata.INTERCEPTION_MODE),
        hbone: metadata.ENABLE_HBONE === true || metadata.ENABLE_HBONE === 'true',
        labels: stringsOf(metadata.LABELS),
      },
      proxyConfig: isObject(metadata.PROXY_CONFIG) ? { ...metadata.PROXY_CONFIG } : null,
    }
  },
})

/** `<commit>/1.38.3/Modified/RELEASE/BoringSSL`; Istio's own builds may say `1.38.3-dev`. */
function envoyVersionIn(version: string | null): string | null {
  return version?.split('/').find((part) => /^\d+\.\d+\.\d+/.test(part)) ?? null
}

function secondsOf(duration: unknown): number | null {
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(duration) : null
  return match ? Number(match[1]) : null
}

function stringsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectIn(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
