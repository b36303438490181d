import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMap, LineCounter, parseAllDocuments } from 'yaml'
import { UserError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import { type Io, readStdin } from './io.ts'

/** An object from a file, and where it begins. */
export interface FileObject {
  readonly object: KubeObject
  readonly file: string
  readonly line: number
}

export interface FileObjects {
  readonly objects: readonly FileObject[]
  /** Documents that are no Kubernetes object: kept, so that nobody takes them for checked. */
  readonly skipped: readonly { readonly file: string; readonly line: number; readonly why: string }[]
  /** The files that were read, folders resolved. */
  readonly files: readonly string[]
}

/** YAML or JSON, several documents in a file, Lists taken apart; `-` is standard input, a folder means the files in it. */
export async function readObjectFiles(io: Io, named: readonly string[]): Promise<FileObjects> {
  const objects: FileObject[] = []
  const skipped: FileObjects['skipped'][number][] = []
  const files = (await Promise.all(named.map(filesOf))).flat()
  if (files.filter((file) => file === '-').length > 1)
    throw new UserError('standard input was asked for twice', 'write -f - once')
  for (const file of files) {
    const text = file === '-' ? await readStdin(io) : await readText(file)
    const where = file === '-' ? 'standard input' : file
    if (text.trim() === '') throw new UserError(`${where} is empty`, 'give YAML or JSON of Kubernetes objects', 'input')
    if (text.includes('\u0000') || text.includes('\ufffd'))
      throw new UserError(`${where} is no text`, 'give YAML or JSON of Kubernetes objects', 'input')
    readDocuments(text, where, objects, skipped)
  }
  if (objects.length === 0)
    throw new UserError(
      `no Kubernetes object in ${files.map((file) => (file === '-' ? 'standard input' : file)).join(', ')}`,
      skipped[0] ? `${skipped[0].file}:${skipped[0].line}: ${skipped[0].why}` : undefined,
      'input',
    )
  return { objects, skipped, files }
}

async function filesOf(named: string): Promise<readonly string[]> {
  if (named === '-') return ['-']
  const found = await stat(named).catch(() => null)
  if (!found) throw new UserError(`-f ${named}: no such file`, undefined, 'input')
  if (!found.isDirectory()) return [named]
  const names = (await readdir(named)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort()
  if (names.length === 0) throw new UserError(`-f ${named}: no .yaml, .yml or .json file in it`, undefined, 'input')
  return names.map((name) => join(named, name))
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    throw new UserError(`-f ${file}: cannot be read`, undefined, 'input')
  }
}

function readDocuments(
  text: string,
  file: string,
  objects: FileObject[],
  skipped: { file: string; line: number; why: string }[],
): void {
  const counter = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: counter, uniqueKeys: false })
  if (!Array.isArray(documents)) return
  for (const document of documents) {
    // A comment block before the first `---` is a document of nothing.
    if (document.contents === null) continue
    const [error] = document.errors
    const line = counter.linePos(
      isMap(document.contents) ? (document.contents.range?.[0] ?? 0) : document.range[0],
    ).line
    if (error) {
      const at = error.linePos?.[0].line ?? line
      throw new UserError(`${file}:${at}: no YAML: ${error.message.split('\n', 1)[0]}`, undefined, 'input')
    }
    addObject(document.toJS({ maxAliasCount: 1000 }), file, line, objects, skipped)
  }
}

function addObject(
  value: unknown,
  file: string,
  line: number,
  objects: FileObject[],
  skipped: { file: string; line: number; why: string }[],
): void {
  if (!isRecord(value)) {
    skipped.push({ file, line, why: 'no object' })
    return
  }
  if (typeof value.kind === 'string' && value.kind.endsWith('List') && Array.isArray(value.items)) {
    for (const item of value.items) addObject(item, file, line, objects, skipped)
    return
  }
  const { kind, apiVersion, metadata } = value
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') {
    skipped.push({ file, line, why: 'no kind and apiVersion, so no Kubernetes object' })
    return
  }
  const name = isRecord(metadata) && typeof metadata.name === 'string' ? metadata.name : null
  if (name === null) {
    skipped.push({ file, line, why: `${kind} without metadata.name` })
    return
  }
  objects.push({ object: value as unknown as KubeObject, file, line }) // kind, apiVersion and name were looked at
}

/** As kubectl does: an object without a namespace goes where -n says. */
export function inNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.metadata.namespace || clusterScoped.has(object.kind)) return object
  return { ...object, metadata: { ...object.metadata, namespace } }
}

const clusterScoped = new Set([
  'Namespace',
  'Node',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'GatewayClass',
  'PersistentVolume',
  'StorageClass',
  'PriorityClass',
])

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
