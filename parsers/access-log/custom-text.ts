import type { Operator, Template } from '../access-log-format.ts'

export interface TemplateMatch {
  readonly values: readonly string[]
  readonly isAmbiguous: boolean
}

/** More places than this that could end a client's value are not tried: a line must cost no more than its length. */
const mostTries = 512
/** Envoy accepts 60 KiB of headers unless told otherwise. */
const longestText = 128 * 1024

/**
 * Reads a line back into the operators' values. Values a client controls hold forged literals at will, so what follows
 * the last of them is matched from the end of the line, and what follows the others at its first complete match.
 */
export function matchTemplate(template: Template, text: string): TemplateMatch | null {
  const { literals, operators } = template
  if (text.length > longestText || !text.startsWith(literals[0] ?? '')) return null
  const values: string[] = new Array(operators.length).fill('')
  let at = (literals[0] ?? '').length
  let isAmbiguous = false
  let from = 0
  const lastFree = operators.findLastIndex((operator) => operator.shape === 'free')
  for (let free = nextFree(operators, 0); free < operators.length; free = nextFree(operators, free + 1)) {
    // What lies before this value is fixed by now, except for the literal already consumed.
    const begin = matchChain(template, text, at, from, free, values)
    if (begin < 0) return null
    const end = free === lastFree ? endOfLastFree(template, text, begin, free, values) : -1
    if (free === lastFree) {
      if (end < 0) return null
      values[free] = text.slice(begin, end)
      return { values, isAmbiguous }
    }
    const next = nextFree(operators, free + 1)
    const found = firstChain(template, text, begin, free, next, values)
    if (found.end < 0) return null
    values[free] = text.slice(begin, found.begin)
    isAmbiguous ||= found.isAmbiguous
    at = found.end
    from = next
  }
  return matchChain(template, text, at, 0, operators.length, values) === text.length ? { values, isAmbiguous } : null
}

/** Matches operators `from` up to (not with) `to`, each with the literal behind it. Returns where it ends, or -1. */
function matchChain(template: Template, text: string, start: number, from: number, to: number, values: string[]) {
  let at = start
  for (let index = from; index < to; index++) {
    const operator = template.operators[index]!
    const literal = template.literals[index + 1]!
    const isLast = index === template.operators.length - 1
    const end = isLast ? text.length - literal.length : endOfValue(operator, literal, text, at)
    if (end < at || !text.startsWith(literal, end)) return -1
    const value = text.slice(at, end)
    if (!fits(operator, value)) return -1
    values[index] = value
    at = end + literal.length
  }
  return at
}

function endOfValue(operator: Operator, literal: string, text: string, start: number): number {
  if (operator.shape === 'number') {
    let at = start
    while (at < text.length && /[\d.-]/.test(text[at]!)) at++
    return at
  }
  if (literal === '') {
    let at = start
    while (at < text.length && !/\s/.test(text[at]!)) at++
    return at
  }
  return text.indexOf(literal, start)
}

function fits(operator: Operator, value: string): boolean {
  switch (operator.shape) {
    case 'number':
      return /^(?:-?|\d+(?:\.\d+)?)$/.test(value)
    case 'time':
      return value === '' || value === '-' || /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)$/.test(value)
    case 'word':
      if (operator.field === 'protocol') return /^(?:-?|HTTP\/[\d.]+)$/.test(value)
      return !/[\s"]/.test(value)
    case 'header':
    case 'text':
      return !value.includes('"')
    case 'free':
      return true
  }
}

/** The first place after `begin` where the literal and the chain up to the next free value match. */
function firstChain(template: Template, text: string, begin: number, free: number, next: number, values: string[]) {
  const literal = template.literals[free + 1]!
  const spare = values.slice()
  let found = { begin: -1, end: -1, isAmbiguous: false }
  let tries = 0
  for (let at = text.indexOf(literal, begin); at >= 0 && tries < mostTries; at = text.indexOf(literal, at + 1)) {
    const isFound = found.end >= 0
    const end = matchChain(template, text, at + literal.length, free + 1, next, isFound ? spare : values)
    // Only chains with something to check tell a forged place from a real one.
    if (isFound && end >= 0 && next > free + 2) return { ...found, isAmbiguous: true }
    if (!isFound && end >= 0) {
      found = { begin: at, end, isAmbiguous: false }
      if (next <= free + 2) return found
    }
    tries++
    if (literal === '') break
  }
  return found
}

/** The last place where everything behind the last free value matches up to the end of the line. */
function endOfLastFree(template: Template, text: string, begin: number, free: number, values: string[]): number {
  const literal = template.literals[free + 1]!
  const count = template.operators.length
  if (free === count - 1) return text.endsWith(literal) ? Math.max(text.length - literal.length, -1) : -1
  let tries = 0
  for (let at = text.lastIndexOf(literal); at >= begin && tries < mostTries; at = text.lastIndexOf(literal, at - 1)) {
    if (matchChain(template, text, at + literal.length, free + 1, count, values) === text.length) return at
    tries++
    if (at === 0) break
  }
  return -1
}

function nextFree(operators: readonly Operator[], from: number): number {
  const index = operators.findIndex((operator, place) => place >= from && operator.shape === 'free')
  return index < 0 ? operators.length : index
}
