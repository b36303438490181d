import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { reportedVersion, splitProxyName } from './lib/fields.ts'
import { startsLikeJson } from './lib/json-stream.ts'
import { proxyStatusOfJson } from './lib/proxy-status-json.ts'
import { ProxyStatus, type ProxySync, readStateCell, type TypeSync } from './lib/sync-state.ts'
import { readTable } from './lib/table.ts'

const aboutTheProxy = ['NAME', 'CLUSTER', 'ISTIOD', 'VERSION']

/**
 * `istioctl proxy-status` in every layout of 1.20 to 1.31: states in the default table until 1.26, none in it since 1.27,
 * states again with `-v 1`, JSON (one document per istiod) from 1.30. 1.27 to 1.29 take `-o json` and print the table.
 */
export default defineParser<ProxyStatus>({
  name: 'proxy-status',
  schema: ProxyStatus,
  parse: (text) => (startsLikeJson(text) ? proxyStatusOfJson(text) : fromTable(text)),
})

function fromTable(text: string): ProxyStatus {
  const { columns, rows, logLines } = readTable(text, ['NAME', 'ISTIOD', 'VERSION'], {
    optional: ['CLUSTER', 'SUBSCRIBED TYPES'],
  })
  const others = columns.filter((column) => !aboutTheProxy.includes(column) && column !== 'SUBSCRIBED TYPES')
  // State columns are those between CLUSTER and ISTIOD; whatever a later version appends elsewhere is no state.
  const typeColumns = others.filter((column) => columns.indexOf(column) < columns.indexOf('ISTIOD'))
  const statesShown = typeColumns.length > 0
  if (!statesShown && !columns.includes('SUBSCRIBED TYPES'))
    throw new ParseError('neither states nor subscribed types in the table')
  const proxies = rows.map((row): ProxySync => {
    if (row.NAME === '') throw new ParseError('a row without the name of a proxy')
    const types: Record<string, TypeSync> = {}
    for (const column of typeColumns) types[column] = readStateCell(row[column] ?? '')
    const extra: Record<string, unknown> = {}
    for (const column of others) if (!typeColumns.includes(column)) extra[column] = row[column]
    return {
      proxy: row.NAME,
      ...splitProxyName(row.NAME),
      cluster: row.CLUSTER || null,
      istiod: row.ISTIOD || null,
      // The star says that the version was taken from elsewhere (1.20, 1.21).
      version: reportedVersion(row.VERSION.replace(/\*$/, '')),
      proxyType: null,
      types,
      subscribedTypes: subscribed(row['SUBSCRIBED TYPES'], types),
      statesShown,
      extra,
    }
  })
  return { statesShown, proxies, logLines: [...logLines] }
}

/** `4 (CDS,LDS,EDS,RDS)`, or `0`. Without that column a type counts as subscribed if it has a state of its own. */
function subscribed(cell: string | undefined, types: Readonly<Record<string, TypeSync>>): string[] | null {
  if (cell === undefined) {
    const named = Object.entries(types).filter(([, { state }]) => state !== 'IGNORED' && state !== 'unknown')
    return named.map(([type]) => type)
  }
  const inside = /^\d+ \(([^)]*)\)$/.exec(cell)?.[1]
  if (inside !== undefined) return inside.split(',').filter((type) => type !== '')
  return cell === '0' ? [] : null
}
