import type { Trace, TraceStep } from '../mesh/trace.ts'
import { brokenWords, originOf, stepText } from '../mesh/trace-words.ts'
import type { ChainPart } from './trace-chain.ts'

/** The steps of a trace as parts of a drawing. What runs over the wire is part of the connection, not of the proxy. */
export function partsOf({ steps, outcome, why }: Trace): ChainPart[] {
  const parts = steps.filter((step) => !saysNothing(step)).map(partOf)
  if (outcome === 'cannot-decide')
    parts.push({
      kind: 'then',
      text: 'not known',
      from: null,
      state: 'open',
      why: why || 'not everything was read',
      facts: {},
    })
  return parts
}

/** Outbound chains mostly take plain bytes and have no name; what endpoints' labels decide is known from objects only. */
function saysNothing({ kind, name, facts, broken }: TraceStep): boolean {
  if (broken) return false
  if (kind === 'filter-chain') return name === '' && facts.tls === 'none'
  return kind === 'hbone' || (kind === 'transport-socket' && facts.sends === 'unknown')
}

function partOf(step: TraceStep): ChainPart {
  const { broken, facts } = step
  return {
    kind: kindWords[step.kind],
    text: stepText(step),
    from: originOf(step),
    state: broken ? 'broken' : 'ok',
    why: broken ? brokenWords(step) : null,
    facts,
  }
}

const kindWords: Readonly<Record<TraceStep['kind'], string>> = {
  listener: 'listener',
  'filter-chain': 'chain',
  filter: 'filter',
  route: 'route',
  cluster: 'cluster',
  endpoints: 'endpoints',
  'transport-socket': 'TLS',
  hbone: 'tunnel',
}
