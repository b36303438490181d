import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, splitProxyName, textOf } from './lib/fields.ts'
import { readJsonDocument, startsLikeJson } from './lib/json-stream.ts'
import { readTable } from './lib/table.ts'

const ZtunnelConnections = z.object({
  /** What this ztunnel serves, connections or not. Null in a table, which shows connections only. */
  workloads: z
    .array(
      z.object({ namespace: z.string(), name: z.string(), serviceAccount: z.string().nullable(), state: z.string() }),
    )
    .nullable(),
  connections: z.array(
    z.object({
      namespace: z.string().nullable(),
      workload: z.string(),
      direction: z.enum(['inbound', 'outbound']),
      /** The workload's end. Addresses in JSON, names in a table (without `--raw`). */
      local: z.string(),
      remote: z.string(),
      /** What the client asked for: a service's address or host. */
      target: z.string().nullable(),
      /** 1.26 and later. */
      protocol: z.string().nullable(),
    }),
  ),
})
export type ZtunnelConnections = z.infer<typeof ZtunnelConnections>
type Connection = ZtunnelConnections['connections'][number]

/** `istioctl ztunnel-config connections`: what is open at this moment through one ztunnel. */
export default defineParser<ZtunnelConnections>({
  name: 'ztunnel-connections',
  schema: ZtunnelConnections,
  parse: (text) => (startsLikeJson(text) ? ofJson(text) : { workloads: null, connections: ofTable(text) }),
})

function ofJson(text: string): ZtunnelConnections {
  const entries = asList(readJsonDocument(text), 'connections').map((entry) => {
    const fields = asFields(entry, 'a workload')
    const info = asFields(fields.info, 'the info of a workload')
    const open = asFields(fields.connections, 'the connections of a workload')
    const namespace = textOf(info.namespace) ?? ''
    const name = textOf(info.name)
    if (name === null) throw new ParseError('a workload without name')
    return {
      workload: { namespace, name, serviceAccount: textOf(info.serviceAccount), state: textOf(fields.state) ?? '' },
      connections: [
        ...asList(open.inbound, 'inbound').map((entry) => connectionOf(entry, namespace, name, 'inbound')),
        ...asList(open.outbound, 'outbound').map((entry) => connectionOf(entry, namespace, name, 'outbound')),
      ],
    }
  })
  return {
    workloads: entries.map(({ workload }) => workload),
    connections: entries.flatMap(({ connections }) => connections),
  }
}

function connectionOf(
  entry: unknown,
  namespace: string,
  workload: string,
  direction: Connection['direction'],
): Connection {
  const fields = asFields(entry, 'a connection')
  const [src, actual] = [textOf(fields.src) ?? '', textOf(fields.actualDst) ?? '']
  const ends = direction === 'inbound' ? { local: actual, remote: src } : { local: src, remote: actual }
  return {
    namespace,
    workload,
    direction,
    ...ends,
    target: textOf(fields.originalDst),
    protocol: textOf(fields.protocol),
  }
}

function ofTable(text: string): Connection[] {
  const columns = ['WORKLOAD', 'DIRECTION', 'LOCAL', 'REMOTE', 'REMOTE TARGET'] as const
  return readTable(text, columns, { optional: ['PROTOCOL'], tight: true }).rows.map((row) => {
    const direction = row.DIRECTION.toLowerCase()
    if (row.WORKLOAD === '' || (direction !== 'inbound' && direction !== 'outbound'))
      throw new ParseError('a row without workload or direction')
    const { name, namespace } = splitProxyName(row.WORKLOAD)
    return {
      namespace,
      workload: name,
      direction,
      local: row.LOCAL,
      remote: row.REMOTE,
      target: row['REMOTE TARGET'] || null,
      protocol: row.PROTOCOL || null,
    }
  })
}
