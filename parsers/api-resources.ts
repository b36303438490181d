import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import {
  arrayIn,
  isObject,
  jsonStart,
  quoteStart,
  readJsonObject,
  stringOrNull,
  stringsIn,
} from './lib/kubectl-json.ts'
import { readTable } from './lib/table.ts'

const ApiResource = z.object({
  name: z.string(),
  group: z.string(),
  version: z.string().nullable(),
  kind: z.string().nullable(),
  namespaced: z.boolean().nullable(),
  shortNames: z.array(z.string()),
  /** Empty where the output did not carry them: only `-o wide` and `-o json` do. */
  verbs: z.array(z.string()),
})
export type ApiResource = z.infer<typeof ApiResource>

/** `kubectl api-resources`, as table, `-o wide`, `-o name` or (1.34+) `-o json`: tells which CRDs the cluster serves. */
export default defineParser({
  name: 'api-resources',
  schema: z.array(ApiResource),
  parse(text): ApiResource[] {
    if (jsonStart(text) !== undefined) return fromJson(text)
    if (/^NAME\s/m.test(text)) return fromTable(text)
    return fromNames(text)
  },
})

function fromTable(text: string): ApiResource[] {
  return readTable(text, ['NAME', 'NAMESPACED', 'KIND']).rows.map((row) => {
    // Before 1.20 the column was APIGROUP and the version was not printed.
    const apiVersion = row.APIVERSION
    return {
      name: row.NAME ?? '',
      group: apiVersion === undefined ? (row.APIGROUP ?? '') : groupOf(apiVersion),
      version: apiVersion === undefined ? null : (apiVersion.split('/').at(-1) ?? null),
      kind: row.KIND || null,
      namespaced: row.NAMESPACED === 'true' ? true : row.NAMESPACED === 'false' ? false : null,
      shortNames: wordsOf(row.SHORTNAMES),
      verbs: wordsOf(row.VERBS),
    }
  })
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}

/** `get,list` of newer releases and `[get list]` of older ones. */
function wordsOf(cell = ''): string[] {
  return cell.split(/[\s,[\]]+/).filter((word) => word !== '')
}

function fromNames(text: string): ApiResource[] {
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const stranger = names.find((name) => !/^[a-z0-9]+(?:\.[a-z0-9.-]+)?$/.test(name))
  if (names.length === 0 || stranger !== undefined)
    throw new ParseError(`api-resources: no resource name in ${quoteStart(stranger ?? text)}`)
  return names.map((full) => {
    const [name = '', ...group] = full.split('.')
    const unknown = { version: null, kind: null, namespaced: null, shortNames: [], verbs: [] }
    return { name, group: group.join('.'), ...unknown }
  })
}

function fromJson(text: string): ApiResource[] {
  const document = readJsonObject(text, 'api-resources')
  if (!Array.isArray(document.resources)) throw new ParseError('api-resources: JSON without resources')
  return arrayIn(document.resources)
    .filter(isObject)
    .map((resource) => ({
      name: stringOrNull(resource.name) ?? '',
      group: stringOrNull(resource.group) ?? '',
      version: stringOrNull(resource.version),
      kind: stringOrNull(resource.kind),
      namespaced: typeof resource.namespaced === 'boolean' ? resource.namespaced : null,
      shortNames: [...stringsIn(resource.shortNames)],
      verbs: [...stringsIn(resource.verbs)],
    }))
}
