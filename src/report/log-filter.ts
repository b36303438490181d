import type { AccessLogView } from '../../parsers/access-log/view.ts'
import { UserError } from '../model/errors.ts'
import type { LineOutcome } from './log-summary-outcome.ts'

export type LineFilter = (view: AccessLogView, outcomeOf: (view: AccessLogView) => LineOutcome) => boolean

type Value = string | number | null
type Read = (view: AccessLogView, outcomeOf: (view: AccessLogView) => LineOutcome) => Value

/** What `--where` may name, as a person would call it. */
const fields: Readonly<Record<string, Read>> = {
  code: (view) => view.number('code'),
  duration: (view) => view.number('durationMs'),
  received: (view) => view.number('bytesReceived'),
  sent: (view) => view.number('bytesSent'),
  flag: (view) => view.text('flags'),
  detail: (view) => view.text('details') ?? view.text('termination'),
  method: (view) => view.text('method'),
  path: (view) => view.text('path'),
  host: (view) => view.text('authority'),
  route: (view) => view.text('routeName'),
  cluster: (view) => view.text('upstreamCluster'),
  upstream: (view) => view.text('upstreamHost'),
  peer: (view) => view.peer(),
  sni: (view) => view.text('sni'),
  agent: (view) => view.text('userAgent'),
  id: (view) => view.text('requestId'),
  transport: (view) => view.text('transportFailure'),
  who: (view, outcomeOf) => outcomeOf(view).who,
  failed: (view, outcomeOf) => String(outcomeOf(view).failed),
}

const names = Object.keys(fields).join(' ')
const other: Readonly<Record<string, string>> = {
  status: 'code',
  flags: 'flag',
  details: 'detail',
  authority: 'host',
  client: 'peer',
  caller: 'peer',
}

/** `code>=500 flag=UC path~/api who!=app`: all of them must hold. */
export function readFilter(texts: readonly string[]): LineFilter | null {
  const conditions = texts.flatMap((text) => text.split(/\s+/).filter((part) => part !== '')).map(readCondition)
  if (conditions.length === 0) return null
  return (view, outcomeOf) => conditions.every((holds) => holds(view, outcomeOf))
}

function readCondition(text: string): LineFilter {
  const match = /^([a-z-]+)(>=|<=|!=|!~|=~|==|[=<>~])(.*)$/i.exec(text)
  const name = match?.[1]?.toLowerCase() ?? ''
  const read = fields[other[name] ?? name]
  if (!match || !read)
    throw new UserError(
      `--where ${text}: ${match ? `${name} is no field` : 'no condition'}`,
      `write FIELD=VALUE with = != ~ !~ > >= < <=, for example code>=500 or path~/api; fields: ${names}`,
    )
  const wanted = match[3] ?? ''
  switch (match[2]) {
    case '=':
    case '==':
      return (view, outcomeOf) => isSame(read(view, outcomeOf), wanted, name)
    case '!=':
      return (view, outcomeOf) => !isSame(read(view, outcomeOf), wanted, name)
    case '~':
    case '=~': {
      const pattern = readPattern(wanted, text)
      return (view, outcomeOf) => pattern.test(String(read(view, outcomeOf) ?? '-'))
    }
    case '!~': {
      const pattern = readPattern(wanted, text)
      return (view, outcomeOf) => !pattern.test(String(read(view, outcomeOf) ?? '-'))
    }
    default:
      return compareNumbers(read, match[2] ?? '>', wanted, text)
  }
}

/** A line may carry several flags; `flag=UC` asks whether that one is among them. `-` is nothing, as in the log. */
function isSame(value: Value, wanted: string, name: string): boolean {
  if (value === null) return wanted === '-' || wanted === ''
  if (name.startsWith('flag')) return String(value).split(',').includes(wanted)
  return String(value) === wanted
}

function readPattern(source: string, text: string): RegExp {
  try {
    return new RegExp(source)
  } catch (error) {
    throw new UserError(
      `--where ${text}: no regular expression`,
      error instanceof SyntaxError ? error.message : undefined,
    )
  }
}

function compareNumbers(read: Read, operator: string, wanted: string, text: string): LineFilter {
  const limit = Number(wanted)
  if (wanted === '' || Number.isNaN(limit))
    throw new UserError(`--where ${text}: "${wanted}" is no number`, 'for example code>=500 or duration>1000')
  return (view, outcomeOf) => {
    const value = read(view, outcomeOf)
    if (value === null || value === '') return false
    const number = Number(value)
    if (operator === '>') return number > limit
    if (operator === '>=') return number >= limit
    return operator === '<' ? number < limit : number <= limit
  }
}
