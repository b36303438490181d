import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, type Fields, otherFields, textOf, textsOf } from './lib/fields.ts'
import { readJsonDocument, startsLikeJson } from './lib/json-stream.ts'
import { readTable } from './lib/table.ts'
import { waypointOfCell, waypointOfJson } from './lib/ztunnel-waypoint.ts'

const Ports = z.record(z.string(), z.number())

const ZtunnelService = z.object({
  namespace: z.string(),
  name: z.string(),
  vips: z.array(z.string()),
  waypoint: z.string().nullable(),
  /** `0/0`: ztunnel knows nobody to send to. Null: a version that does not say. */
  endpointsHealthy: z.number().nullable(),
  endpointsTotal: z.number().nullable(),
  // From here on JSON only.
  hostname: z.string().nullable(),
  ports: Ports.nullable(),
  endpoints: z.array(z.object({ workloadUid: z.string(), ports: Ports, status: z.string().nullable() })).nullable(),
  waypointDestination: z.string().nullable(),
  subjectAltNames: z.array(z.string()),
  extra: z.record(z.string(), z.unknown()),
})
export type ZtunnelService = z.infer<typeof ZtunnelService>

/** `istioctl ztunnel-config service`, JSON or table. */
export default defineParser<ZtunnelService[]>({
  name: 'ztunnel-services',
  schema: z.array(ZtunnelService),
  parse: (text) => (startsLikeJson(text) ? asList(readJsonDocument(text), 'services').map(ofJson) : ofTable(text)),
})

const knownKeys = ['namespace', 'name', 'hostname', 'vips', 'ports', 'endpoints', 'waypoint', 'subjectAltNames']

function ofJson(entry: unknown): ZtunnelService {
  const fields = asFields(entry, 'a service')
  const name = textOf(fields.name)
  if (name === null || !('vips' in fields || 'hostname' in fields)) throw new ParseError('an entry that is no service')
  const endpoints = endpointsOf(fields.endpoints)
  return {
    namespace: textOf(fields.namespace) ?? '',
    name,
    // `network/address`; the network is empty with a single one.
    vips: textsOf(fields.vips).map((vip) => vip.slice(vip.indexOf('/') + 1)),
    ...waypointOfJson(fields.waypoint),
    endpointsHealthy: endpoints.filter(({ status }) => status === null || status === 'Healthy').length,
    endpointsTotal: endpoints.length,
    hostname: textOf(fields.hostname),
    ports: portsOf(fields.ports),
    endpoints,
    subjectAltNames: [...textsOf(fields.subjectAltNames)],
    extra: otherFields(fields, knownKeys),
  }
}

/** A map in newer versions, a list in older ones. */
function endpointsOf(value: unknown): NonNullable<ZtunnelService['endpoints']> {
  if (value === null || value === undefined) return []
  const entries = Array.isArray(value) ? value : Object.values(asFields(value, 'endpoints'))
  return entries.map((entry) => {
    const endpoint = asFields(entry, 'an endpoint')
    return {
      workloadUid: textOf(endpoint.workloadUid) ?? '',
      ports: portsOf(endpoint.port),
      status: textOf(endpoint.status),
    }
  })
}

function portsOf(value: unknown): Record<string, number> {
  const fields: Fields = value === null || value === undefined ? {} : asFields(value, 'ports')
  return Object.fromEntries(Object.entries(fields).map(([port, target]) => [port, Number(target)]))
}

const tableColumns = ['NAMESPACE', 'SERVICE NAME', 'SERVICE VIP', 'WAYPOINT', 'ENDPOINTS']

function ofTable(text: string): ZtunnelService[] {
  const { rows } = readTable(text, ['NAMESPACE', 'SERVICE NAME', 'SERVICE VIP', 'WAYPOINT'], {
    optional: ['ENDPOINTS'],
    tight: true,
  })
  return rows.map((row) => {
    if (row['SERVICE NAME'] === '') throw new ParseError('a row without the name of a service')
    const [, healthy, total] = /^(\d+)\/(\d+)$/.exec(row.ENDPOINTS ?? '') ?? []
    return {
      namespace: row.NAMESPACE,
      name: row['SERVICE NAME'],
      vips: row['SERVICE VIP'].split(',').filter((vip) => vip !== ''),
      waypoint: waypointOfCell(row.WAYPOINT),
      endpointsHealthy: healthy === undefined ? null : Number(healthy),
      endpointsTotal: total === undefined ? null : Number(total),
      hostname: null,
      ports: null,
      endpoints: null,
      waypointDestination: null,
      subjectAltNames: [],
      extra: otherFields(row, tableColumns),
    }
  })
}
