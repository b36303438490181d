import type { Template } from '../access-log-format.ts'
import { matchTemplate } from './custom-text.ts'
import { fieldOfJsonKey } from './fields.ts'
import { type Draft, emptyDraft, judgeKind, none, setField } from './record.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** The object on a line, or undefined when the line is not one whole JSON object. */
export function readJsonLine(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    // Checked: JSON objects have string keys.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    // Cut lines and foreign text are an ordinary part of logs; the caller counts them.
    return undefined
  }
}

export type JsonLineKind = 'access' | 'agent' | 'envoy' | 'ztunnel' | 'wrapped' | 'unknown'

/** All producers of one container write JSON with `logAsJson`; only their keys tell them apart. */
export function judgeJson(object: JsonObject): JsonLineKind {
  if (typeof object.level === 'string') {
    const scope = typeof object.scope === 'string' ? object.scope : ''
    if (typeof object.msg === 'string') return scope.startsWith('envoy ') ? 'envoy' : 'agent'
    if (typeof object.message === 'string') return 'ztunnel'
  }
  if ('response_code' in object || 'response_flags' in object) return 'access'
  // Docker's file driver: the line itself is in `log`.
  if (typeof object.log === 'string' && typeof object.stream === 'string') return 'wrapped'
  let known = 0
  for (const key of Object.keys(object)) if (fieldOfJsonKey.has(key)) known++
  return known >= 4 ? 'access' : 'unknown'
}

/** Istio's default keys in any order, values of any type; what has no place goes to `extra`. */
export function recordFromJson(object: JsonObject, raw: string, line: number): Draft {
  const draft = emptyDraft('json', raw, line)
  const extra: [string, unknown][] = []
  for (const [key, value] of Object.entries(object)) {
    const field = fieldOfJsonKey.get(key)
    if (field === undefined || !setField(draft, field, value)) extra.push([key, value])
  }
  if (extra.length > 0) draft.extra = Object.fromEntries(extra)
  judgeKind(draft)
  return draft
}

type Leaves = readonly { readonly path: readonly string[]; readonly template: Template }[]

/** A line of a JSON format that names its own keys; null when the object does not look like one. */
export function recordFromLabels(object: JsonObject, leaves: Leaves, raw: string, line: number): Draft | null {
  const draft = emptyDraft('custom', raw, line)
  const extra = new Map<string, unknown>()
  const used = new Set<string>()
  for (const { path, template } of leaves) {
    const value = valueAt(object, path)
    if (value === undefined) continue
    used.add(path[0] ?? '')
    if (!fillFrom(draft, template, value, extra)) extra.set(path.join('.'), value)
  }
  // With omitEmptyValues keys are missing; a foreign object shares hardly any.
  const topKeys = new Set(leaves.map(({ path }) => path[0])).size
  if (used.size * 2 < topKeys && used.size < Object.keys(object).length) return null
  if (used.size === 0) return null
  for (const [key, value] of Object.entries(object)) if (!used.has(key)) extra.set(key, value)
  draft.extra = extra.size > 0 ? Object.fromEntries(extra) : none
  judgeKind(draft)
  return draft
}

/** Puts a printed value into the fields its template names. Returns false when it does not fit the template. */
function fillFrom(draft: Draft, template: Template, value: unknown, extra: Map<string, unknown>): boolean {
  const single = template.operators.length === 1 && template.literals.every((literal) => literal === '')
  const operator = template.operators[0]
  if (single && operator) return operator.field !== null && setField(draft, operator.field, value)
  if (typeof value !== 'string') return value === null
  const match = matchTemplate(template, value)
  if (!match) return false
  if (match.isAmbiguous) draft.ambiguous = true
  fillValues(draft, template, match.values, extra)
  return true
}

export function fillValues(
  draft: Draft,
  template: Template,
  values: readonly string[],
  extra: Map<string, unknown>,
): void {
  template.operators.forEach((operator, index) => {
    const value = values[index] ?? ''
    const isTaken = operator.field !== null && operator.field !== 'flags' && draft[operator.field] !== null
    if (operator.field === null || isTaken || !setField(draft, operator.field, value))
      extra.set(operator.name, value === '-' ? null : value)
  })
}

function valueAt(object: JsonObject, path: readonly string[]): unknown {
  let value: unknown = object
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    // Checked on the line above.
    value = (value as Record<string, unknown>)[key]
  }
  return value
}
