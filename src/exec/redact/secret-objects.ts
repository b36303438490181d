import { isPublicPem } from './private-keys.ts'
import { mark, markBase64, type Rule } from './rule.ts'

const trigger = /kind\\*["']?\s*:\s*\\*["']?Secret(?:List)?\b/

/** The values of a Secret, wherever it stands: in a list, in YAML, inside last-applied-configuration. Certificates stay. */
export const secretObjects: Rule = {
  name: 'secret-object',
  trigger,
  apply: (text, count) => (/^\s*[[{]/.test(text) ? inJson(text, count) : inYaml(inMixed(text, count), count)),
}

interface Value {
  readonly start: number
  readonly end: number
  readonly isEncoded: boolean
}

interface Frame {
  /** The key under which this object or list stands in its parent. */
  readonly key: string
  kind: string
  lastKey: string
  isKeyNext: boolean
  /** Texts below `data` and `stringData` for which no `kind` has spoken yet: keys are sorted, and `data` comes first. */
  readonly pending: Value[]
}

const token = /"(?:[^"\\]|\\[\s\S])*"|[{}[\],:]/g

/** Finds the values without building the document: formatting and big numbers stay as they are. Cut documents are dealt with as well. */
function inJson(text: string, count: () => void): string {
  const found: Value[] = []
  const nested: Value[] = []
  const stack: Frame[] = []
  const frame = (key: string): Frame => ({ key, kind: '', lastKey: '', isKeyNext: true, pending: [] })
  const close = () => {
    const ended = stack.pop()
    const parent = stack.at(-1)
    if (!ended) return
    if (/^Secret(List)?$/.test(ended.kind)) found.push(...ended.pending)
    else if (ended.kind === '' && parent) parent.pending.push(...ended.pending)
  }
  for (const match of text.matchAll(token)) {
    const [word] = match
    const top = stack.at(-1)
    if (word === '{' || word === '[') stack.push(frame(top?.lastKey ?? ''))
    else if (word === '}' || word === ']') close()
    else if (word === ',' && top) top.isKeyNext = true
    else if (word === ':' && top) top.isKeyNext = false
    else if (
      top &&
      /^\s*:/.test(text.slice(match.index + word.length, match.index + word.length + 20)) &&
      top.isKeyNext
    )
      top.lastKey = word.slice(1, -1)
    else if (top) {
      const value = { start: match.index, end: match.index + word.length, isEncoded: top.key === 'data' }
      if (top.lastKey === 'kind' && top.key !== 'data') top.kind = word.slice(1, -1)
      if (top.key === 'data' || top.key === 'stringData') top.pending.push(value)
      else if (trigger.test(word)) nested.push(value)
    }
  }
  // What was never closed was cut off, and may have been a Secret.
  for (const { pending } of stack) found.push(...pending)

  let result = ''
  let at = 0
  const all = [
    ...found.map((value) => ({ ...value, isNested: false })),
    ...nested.map((value) => ({ ...value, isNested: true })),
  ]
  for (const { start, end, isEncoded, isNested } of all.sort((left, right) => left.start - right.start)) {
    const literal = text.slice(start, end)
    const value = unquote(literal)
    const redacted = isNested ? secretObjects.apply(value, count) : withoutValue(value, isEncoded)
    if (redacted === value) continue
    if (!isNested) count()
    result += text.slice(at, start) + JSON.stringify(redacted)
    at = end
  }
  return result + text.slice(at)
}

function unquote(literal: string): string {
  try {
    return String(JSON.parse(literal))
  } catch {
    // Not JSON after all (a stray control character): the text between the quotes will do.
    return literal.slice(1, -1)
  }
}

function withoutValue(value: string, isEncoded: boolean): string {
  if (value === '' || value === mark || value === markBase64) return value
  const plain = isEncoded ? Buffer.from(value, 'base64').toString('latin1') : value
  if (isPublicPem(plain)) return value
  return isEncoded ? markBase64 : mark
}

/** JSON documents among other text: on one line, or from a line that opens one to the line that closes it. */
function inMixed(text: string, count: () => void): string {
  const result: string[] = []
  let region: string[] | undefined
  for (const line of text.split('\n')) {
    // A document that was cut off never closes; the next one begins at the margin.
    if (region && /^[[{]/.test(line)) {
      result.push(inJson(region.join('\n'), count))
      region = undefined
    }
    if (!region && /^\s*[[{]/.test(line)) {
      if (/[}\]]\s*$/.test(line) || trigger.test(line)) result.push(inJson(line, count))
      else region = [line]
    } else if (region) {
      region.push(line)
      if (!/^[}\]]/.test(line)) continue
      result.push(inJson(region.join('\n'), count))
      region = undefined
    } else result.push(line)
  }
  if (region) result.push(inJson(region.join('\n'), count))
  return result.join('\n')
}

/** `kubectl get -o yaml`, a manifest: one object after the other, recognized by its indentation. */
function inYaml(text: string, count: () => void): string {
  return text
    .split(/(?=^(?:- |---))/m)
    .map((object) =>
      /^(?:- | {2})?kind: ["']?Secret(?:List)?["']?\s*$/m.test(object) ? yamlObject(object, count) : object,
    )
    .join('')
}

function yamlObject(object: string, count: () => void): string {
  let block: { indent: number; isEncoded: boolean } | undefined
  let isContinued = false
  return object
    .split('\n')
    .map((line) => {
      const indent = line.search(/[^\s-]|$/)
      if (block && line.trim() !== '' && indent <= block.indent) block = undefined
      const opened = /^(?:- | *)(data|stringData):\s*$/.exec(line)
      if (opened) {
        block = { indent: line.search(/[a-z]/), isEncoded: opened[1] === 'data' }
        isContinued = false
        return line
      }
      if (!block) return line
      const entry = /^(\s*[^\s:]+:)\s+(.+?)(\r?)$/.exec(line)
      if (!entry) return isContinued && line.trim() ? '' : line
      const [, key = '', value = '', end = ''] = entry
      const redacted = withoutValue(value.replace(/^(["'])(.*)\1$/, '$2'), block.isEncoded)
      isContinued = /^[|>]/.test(value)
      if (!isContinued && redacted === value.replace(/^(["'])(.*)\1$/, '$2')) return line
      count()
      return `${key} ${redacted}${end}`
    })
    .join('\n')
}
