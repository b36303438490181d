import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import type { KubeObject } from '../src/model/kube.ts'
import { defineParser } from '../src/model/parser.ts'
import {
  arrayIn,
  isObject,
  type JsonObject,
  jsonStart,
  objectIn,
  quoteStart,
  stringOrNull,
} from './lib/kubectl-json.ts'
import { splitObjects } from './lib/split-objects.ts'

export interface KubeList {
  readonly items: readonly KubeObject[]
  /** What could not be read. Where there is one, an object that is not in `items` may still exist. */
  readonly errors: readonly string[]
}

// Reading one object costs nothing here; typing is left to whoever reads it.
const schema = z.object({
  items: z.array(z.custom<KubeObject>((value) => isObject(value) && typeof value.kind === 'string')),
  errors: z.array(z.string()),
})

/**
 * `kubectl get … -o json`: a List of one or several kinds, or one object. Note that a forbidden list prints an empty List
 * too: only the exit code and stderr tell that apart from "there are none".
 */
export default defineParser<KubeList>({
  name: 'kube-list',
  schema,
  parse(text) {
    const items: KubeObject[] = []
    const errors: string[] = []
    for (const document of documentsIn(text, errors)) addDocument(document, items, errors)
    return { items, errors }
  },
})

function documentsIn(text: string, errors: string[]): readonly JsonObject[] {
  const start = jsonStart(text)
  if (start === undefined) throw new ParseError(`kube-list: no JSON object in ${quoteStart(text)}`)
  const body = text.slice(start)
  const whole = parseOrUndefined(body)
  if (whole !== undefined) return [whole]
  // Several documents in a row, a line of a plugin in between, or an output that ends in the middle of an item.
  const { objects, cut } = splitObjects(body)
  const documents = objects.map(parseOrUndefined).filter((document) => document !== undefined)
  if (objects.length > documents.length) errors.push(`${objects.length - documents.length} documents are broken JSON`)
  if (cut !== undefined) {
    const items = /"items"\s*:\s*\[/.exec(cut)
    const rest = items ? splitObjects(cut.slice(items.index + items[0].length)) : undefined
    const found = (rest?.objects ?? []).map(parseOrUndefined).filter((item) => item !== undefined)
    errors.push(`the output ends in the middle, after ${found.length} whole ${found.length === 1 ? 'item' : 'items'}`)
    documents.push(...found)
  }
  if (documents.length === 0) throw new ParseError(`kube-list: broken JSON, begins with ${quoteStart(body)}`)
  return documents
}

function parseOrUndefined(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function addDocument(document: JsonObject, items: KubeObject[], errors: string[]): void {
  const kind = stringOrNull(document.kind)
  if (kind === null)
    throw new ParseError(`kube-list: an object without a kind: ${quoteStart(JSON.stringify(document))}`)
  if (kind === 'Status')
    throw new ParseError(
      `kube-list: the server answered: ${stringOrNull(document.message) ?? 'a status without message'}`,
    )
  if (kind !== 'List' && !(kind.endsWith('List') && 'items' in document)) {
    addItem(document, {}, items, errors)
    return
  }
  // `get --raw` and some servers name the kind only once, on the list.
  const inherited =
    kind === 'List'
      ? {}
      : { kind: kind.slice(0, -'List'.length), apiVersion: stringOrNull(document.apiVersion) ?? 'v1' }
  for (const item of arrayIn(document.items)) addItem(item, inherited, items, errors)
}

function addItem(item: unknown, inherited: JsonObject, items: KubeObject[], errors: string[]): void {
  const object: JsonObject = { ...inherited, ...objectIn(item) }
  const metadata = objectIn(object.metadata)
  const { kind, apiVersion } = object
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || typeof metadata.name !== 'string') {
    errors.push(`an item without kind, apiVersion or name: ${quoteStart(JSON.stringify(item) ?? '')}`)
    return
  }
  items.push({ ...object, kind, apiVersion, metadata: { ...slimMetadata(metadata), name: metadata.name } })
}

// Half of an object's bytes say who last wrote which field. The annotation repeats the spec as it was applied, values of
// Secrets included.
function slimMetadata(metadata: JsonObject): JsonObject {
  const { managedFields: _, ...rest } = metadata
  if (!isObject(rest.annotations) || !('kubectl.kubernetes.io/last-applied-configuration' in rest.annotations))
    return rest
  const { 'kubectl.kubernetes.io/last-applied-configuration': __, ...annotations } = rest.annotations
  return { ...rest, annotations }
}
