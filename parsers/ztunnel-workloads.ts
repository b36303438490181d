import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, otherFields, textOf, textsOf } from './lib/fields.ts'
import { readJsonDocument, startsLikeJson } from './lib/json-stream.ts'
import { readTable } from './lib/table.ts'
import { waypointOfCell, waypointOfJson } from './lib/ztunnel-waypoint.ts'

const ZtunnelWorkload = z.object({
  namespace: z.string(),
  name: z.string(),
  addresses: z.array(z.string()),
  /** HBONE: ztunnel takes its traffic into the mesh. TCP: it does not. */
  protocol: z.string(),
  /** Its name; `NA` as printed. Null: none. */
  waypoint: z.string().nullable(),
  node: z.string().nullable(),
  network: z.string().nullable(),
  // From here on JSON only.
  uid: z.string().nullable(),
  hostname: z.string().nullable(),
  serviceAccount: z.string().nullable(),
  trustDomain: z.string().nullable(),
  cluster: z.string().nullable(),
  status: z.string().nullable(),
  workload: z.string().nullable(),
  workloadType: z.string().nullable(),
  canonicalName: z.string().nullable(),
  canonicalRevision: z.string().nullable(),
  waypointDestination: z.string().nullable(),
  /** Names of the policies that select it: `namespace/name`. Null: not said by this version. */
  policies: z.array(z.string()).nullable(),
  extra: z.record(z.string(), z.unknown()),
})
export type ZtunnelWorkload = z.infer<typeof ZtunnelWorkload>

/** `istioctl ztunnel-config workload`, JSON or table (`x ztunnel-config` in 1.22, `proxy-config workload` before). */
export default defineParser<ZtunnelWorkload[]>({
  name: 'ztunnel-workloads',
  schema: z.array(ZtunnelWorkload),
  parse: (text) => (startsLikeJson(text) ? asList(readJsonDocument(text), 'workloads').map(ofJson) : ofTable(text)),
})

const knownKeys = [
  ...['namespace', 'name', 'workloadIps', 'protocol', 'waypoint', 'node', 'network', 'uid', 'hostname'],
  ...['serviceAccount', 'trustDomain', 'clusterId', 'status', 'workloadName', 'workloadType'],
  ...['canonicalName', 'canonicalRevision', 'authorizationPolicies'],
]

function ofJson(entry: unknown): ZtunnelWorkload {
  const fields = asFields(entry, 'a workload')
  const name = textOf(fields.name)
  const protocol = textOf(fields.protocol)
  if (name === null || protocol === null) throw new ParseError('a workload without name or protocol')
  return {
    namespace: textOf(fields.namespace) ?? '',
    name,
    addresses: [...textsOf(fields.workloadIps)],
    protocol,
    ...waypointOfJson(fields.waypoint),
    node: textOf(fields.node),
    network: textOf(fields.network),
    uid: textOf(fields.uid),
    hostname: textOf(fields.hostname),
    serviceAccount: textOf(fields.serviceAccount),
    trustDomain: textOf(fields.trustDomain),
    cluster: textOf(fields.clusterId),
    status: textOf(fields.status),
    workload: textOf(fields.workloadName),
    workloadType: textOf(fields.workloadType),
    canonicalName: textOf(fields.canonicalName),
    canonicalRevision: textOf(fields.canonicalRevision),
    policies: Array.isArray(fields.authorizationPolicies) ? [...textsOf(fields.authorizationPolicies)] : null,
    extra: otherFields(fields, knownKeys),
  }
}

const tableColumns = ['NAMESPACE', 'POD NAME', 'NAME', 'ADDRESS', 'IP', 'NODE', 'NETWORK', 'WAYPOINT', 'PROTOCOL']

function ofTable(text: string): ZtunnelWorkload[] {
  const { columns, rows } = readTable(text, ['NAMESPACE', 'NODE', 'WAYPOINT', 'PROTOCOL'], {
    optional: ['POD NAME', 'NAME', 'ADDRESS', 'IP', 'NETWORK'],
    tight: true,
  })
  const nameColumn = ['POD NAME', 'NAME'].find((column) => columns.includes(column))
  if (nameColumn === undefined) throw new ParseError('no column with the names of workloads')
  return rows.map((row) => {
    const name = row[nameColumn]
    if (!name || row.PROTOCOL === '') throw new ParseError('a row without name or protocol')
    return {
      namespace: row.NAMESPACE,
      name,
      addresses: (row.ADDRESS ?? row.IP ?? '').split(',').filter((address) => address !== ''),
      protocol: row.PROTOCOL,
      waypoint: waypointOfCell(row.WAYPOINT),
      node: row.NODE || null,
      network: row.NETWORK || null,
      uid: null,
      hostname: null,
      serviceAccount: null,
      trustDomain: null,
      cluster: null,
      status: null,
      workload: null,
      workloadType: null,
      canonicalName: null,
      canonicalRevision: null,
      waypointDestination: null,
      policies: null,
      extra: otherFields(row, tableColumns),
    }
  })
}
