import type { KubeObject } from '../model/kube.ts'
import type { ArchiveContents, ArchivedObject } from './archive-contents.ts'
import { type ObjectKind, qualified, resolveKind } from './archive-kinds.ts'

/** What a command would have printed; undefined: the archive cannot say. */
export type Answer = { readonly code: number; readonly stdout: string; readonly stderr: string } | undefined

export type Flags = ReadonlyMap<string, readonly string[]>
const flag = (flags: Flags, name: string) => flags.get(name)?.at(-1)

const printed = (stdout: string, stderr = '', code = 0): Answer => ({ code, stdout, stderr })
const asJson = (value: unknown) => `${JSON.stringify(value, null, 4)}\n`

/** `kubectl get` as JSON or as names, of one kind or several, filtered as kubectl does. */
export function answerGet(contents: ArchiveContents, words: readonly string[], flags: Flags): Answer {
  const format = flag(flags, 'output')
  if (format !== 'json' && format !== 'name') return undefined
  const wanted = readWanted(contents, words)
  if (!wanted) return undefined
  const isAll = flag(flags, 'all-namespaces') === 'true'
  const namespace = isAll ? undefined : (flag(flags, 'namespace') ?? 'default')
  const matches = selection(flag(flags, 'selector'), flag(flags, 'field-selector'))
  if (!matches) return undefined

  const found: { kind: ObjectKind; object: ArchivedObject }[] = []
  const gaps: string[] = []
  const missing: string[] = []
  for (const { word, kind, names } of wanted) {
    if (!kind) {
      // In a cluster all of whose kinds are known, a word that is none is an error; elsewhere nobody knows.
      if (contents.objects.areKindsComplete && names.length === 0 && wanted.length === 1)
        return printed('', `error: the server doesn't have a resource type "${word}"\n`, 1)
      gaps.push(gapText(word, undefined, namespace))
      continue
    }
    const scope = kind.isNamespaced ? namespace : undefined
    const here = contents.objects.of(kind).filter((object) => scope === undefined || object.namespace === scope)
    const isRecorded = contents.objects.isRecorded(kind, kind.isNamespaced ? namespace : undefined)
    // A Secret in an archive is its name only: as JSON it would look like one without keys.
    if (kind.kind === 'Secret' && format === 'json') gaps.push(gapText(word, kind, namespace))
    else if (names.length > 0) {
      for (const name of names) {
        const object = here.find((one) => one.name === name)
        if (object) found.push({ kind, object })
        else if (isRecorded) missing.push(`Error from server (NotFound): ${qualified(kind)} "${name}" not found\n`)
        else gaps.push(gapText(word, kind, namespace))
      }
    } else {
      found.push(...here.filter((object) => matches(object)).map((object) => ({ kind, object })))
      if (!isRecorded) gaps.push(gapText(word, kind, namespace))
    }
  }
  if (gaps.length > 0 && found.length === 0) return undefined
  const stderr = [...missing, ...gaps].join('')
  const code = stderr === '' ? 0 : 1
  if (format === 'name')
    return printed(found.map(({ kind, object }) => `${singular(kind)}/${object.name}\n`).join(''), stderr, code)
  const [only] = found
  const isOne = wanted.length === 1 && wanted[0]?.names.length === 1
  if (isOne) return printed(only ? asJson(only.object.read()) : '', stderr, code)
  if (missing.length > 0 && found.length === 0) return printed('', stderr, code)
  return printed(
    asJson({
      apiVersion: 'v1',
      items: found.map(({ object }) => object.read()),
      kind: 'List',
      metadata: { resourceVersion: '' },
    }),
    stderr,
    code,
  )
}

const singular = ({ kind, group }: ObjectKind) => (group ? `${kind.toLowerCase()}.${group}` : kind.toLowerCase())

/** Worded like a refusal to list, for whoever reads half an answer; it says who refused. */
function gapText(word: string, kind: ObjectKind | undefined, namespace: string | undefined): string {
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return `error: not in this archive: cannot list resource "${kind?.plural ?? word}" in API group "${kind?.group ?? ''}" ${scope}\n`
}

function readWanted(
  { objects }: ArchiveContents,
  words: readonly string[],
): { word: string; kind: ObjectKind | undefined; names: string[] }[] | undefined {
  if (words.some((word) => word.includes('/'))) {
    const pairs = words.map((word) => word.split('/'))
    if (pairs.some((pair) => pair.length !== 2)) return undefined
    return pairs.map(([word = '', name = '']) => ({ word, kind: resolveKind(objects.kinds, word), names: [name] }))
  }
  const [kinds = '', ...names] = words
  if (kinds.split(',').some((word) => word === 'all' || word === '')) return undefined
  return kinds.split(',').map((word) => ({ word, kind: resolveKind(objects.kinds, word), names }))
}

type Matches = (object: ArchivedObject) => boolean

/** undefined for a selector that is not understood: then nobody can say what it would have matched. */
function selection(labels: string | undefined, fields: string | undefined): Matches | undefined {
  const tests: Matches[] = []
  for (const part of labels ? labels.split(/,(?![^(]*\))/) : []) {
    const test = labelTest(part.trim())
    if (!test) return undefined
    tests.push(({ read }) => test(read().metadata.labels ?? {}))
  }
  for (const part of fields ? fields.split(',') : []) {
    const match = /^([\w.]+)(==?|!=)(.*)$/.exec(part)
    if (!match) return undefined
    const [, path = '', operator, value = ''] = match
    tests.push(({ read }) => (String(fieldOf(read(), path) ?? '') === value) === (operator !== '!='))
  }
  return (object) => tests.every((test) => test(object))
}

function labelTest(part: string): ((labels: Readonly<Record<string, string>>) => boolean) | undefined {
  const set = /^([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    return (labels) => values.includes(labels[key] ?? '\0') === (operator === 'in')
  }
  const [, not, only] = /^(!?)([\w./-]+)$/.exec(part) ?? []
  if (only !== undefined) return (labels) => (labels[only] !== undefined) === (not === '')
  const [, key, operator, value] = /^([\w./-]+)\s*(==?|!=)\s*([\w.-]*)$/.exec(part) ?? []
  if (key === undefined) return undefined
  return (labels) => (labels[key] === value) === (operator !== '!=')
}

function fieldOf(object: KubeObject, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object)
}

const previousMark = /^=+ Previous log[^\n]*=+$/m

/** `kubectl logs POD -c CONTAINER`. The archive's span of time is what it is: `--since` cannot make it longer. */
export async function answerLogs(contents: ArchiveContents, words: readonly string[], flags: Flags): Promise<Answer> {
  const [target = ''] = words
  const pod = target.replace(/^pods?\//, '')
  if (
    words.length !== 1 ||
    pod.includes('/') ||
    flags.has('timestamps') ||
    flags.has('selector') ||
    flags.has('all-containers') ||
    flags.has('prefix')
  )
    return undefined
  const namespace = flag(flags, 'namespace') ?? 'default'
  const container = flag(flags, 'container') ?? defaultContainer(contents, namespace, pod)
  const text = container && (await contents.log(namespace, pod, container))
  if (text === undefined || text === '') return undefined
  const [current = '', ...previous] = text.split(previousMark)
  if (flags.has('previous') && previous.length === 0) return undefined
  const chosen = flags.has('previous') ? previous.join('').replace(/^\n+/, '') : current
  return printed(lastLines(chosen, Number(flag(flags, 'tail') ?? -1)))
}

function defaultContainer({ objects }: ArchiveContents, namespace: string, pod: string): string | undefined {
  const kind = resolveKind(objects.kinds, 'pods')
  const object =
    kind &&
    objects
      .of(kind)
      .find((one) => one.name === pod && one.namespace === namespace)
      ?.read()
  const annotated = object?.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  return annotated ?? object?.spec?.containers?.[0]?.name
}

function lastLines(text: string, count: number): string {
  if (count < 0) return text
  const lines = text.split('\n')
  const end = lines.at(-1) === '' ? lines.length - 1 : lines.length
  return lines.slice(Math.max(0, end - count), lines.length).join('\n')
}

/** `pilot-agent request GET PATH`: the body and a line break. */
export async function answerExec(
  contents: ArchiveContents,
  words: readonly string[],
  flags: Flags,
  afterDash: readonly string[],
): Promise<Answer> {
  const pod = (words[0] ?? '').replace(/^pods?\//, '')
  const files = contents.proxies.get(`${pod}.${flag(flags, 'namespace') ?? 'default'}`)
  const path = (afterDash.at(-1) ?? '').replace(/^\//, '')
  // The saved dump has the endpoints too; who did not ask for them is not harmed.
  const read =
    files?.get(path) ??
    (path === 'config_dump' || path === 'config_dump?include_eds' ? files?.get('config_dump') : undefined)
  return read && printed(`${await read()}\n`)
}

export function answerApiResources({ objects }: ArchiveContents, flags: Flags): Answer {
  if (!objects.areKindsComplete || flag(flags, 'output') !== 'name') return undefined
  return printed(objects.kinds.map((kind) => `${qualified(kind)}\n`).join(''))
}

export function answerKubernetesVersion({ kubernetes }: ArchiveContents, flags: Flags): Answer {
  if (!kubernetes || flag(flags, 'output') !== 'json') return undefined
  const version = (text: string) => {
    const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(text) ?? []
    return { major, minor, gitVersion: text }
  }
  return printed(
    asJson({
      ...(kubernetes.client && { clientVersion: version(kubernetes.client) }),
      ...(kubernetes.server && { serverVersion: version(kubernetes.server) }),
    }),
  )
}
