import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import {
  arrayIn,
  isObject,
  jsonStart,
  numberOrNull,
  quoteStart,
  readJsonObject,
  stringOrNull,
} from './lib/kubectl-json.ts'
import { splitMetricName, splitStatName } from './lib/stat-name.ts'

const EnvoyStat = z.object({
  /** As printed. */
  name: z.string(),
  /** `cluster`, `http`, `listener`, `server`, `cluster_manager`, … */
  group: z.string(),
  /** Whose it is: the cluster's name, the connection manager's prefix; without the `;` that 1.23+ appends. */
  scope: z.string().nullable(),
  /** What is counted: `upstream_rq_pending_overflow`, `rbac.denied`, `lds.update_rejected`. */
  stat: z.string(),
  value: z.number(),
})

const EnvoyStats = z.object({
  stats: z.array(EnvoyStat),
  /** Text values such as `cluster_manager.cds.version_text`. */
  texts: z.record(z.string(), z.string()),
})

export type EnvoyStat = z.infer<typeof EnvoyStat>
export type EnvoyStats = z.infer<typeof EnvoyStats>

/**
 * Envoy's `stats`, as text, `?format=json` or in Prometheus' format. Istio keeps few of them by default: what is not here was
 * perhaps never counted, so absence proves nothing. Histograms are left out.
 */
export default defineParser({
  name: 'envoy-stats',
  schema: EnvoyStats,
  parse(text): EnvoyStats {
    if (jsonStart(text) !== undefined) return fromJson(text)
    return /^# TYPE \S+ /m.test(text) ? fromPrometheus(text) : fromText(text)
  },
})

function fromText(text: string): EnvoyStats {
  const stats: EnvoyStat[] = []
  const texts: Record<string, string> = {}
  let strange = 0
  let histograms = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const match = /^(\S.*?): (?:(-?\d+(?:\.\d+)?)|"(.*)"|(P0\(.*|No recorded values))\r?$/.exec(line)
    const name = match?.[1]
    if (name === undefined) strange++
    else if (match?.[2] !== undefined) stats.push(statOf(name, Number(match[2])))
    else if (match?.[3] !== undefined) texts[name] = match[3]
    else histograms++
  }
  // `stats?filter=…` prints nothing where nothing matches; any other text is not ours.
  if (strange > stats.length + Object.keys(texts).length + histograms)
    throw new ParseError(`envoy-stats: no counters in ${quoteStart(text)}`)
  return { stats, texts }
}

function fromJson(text: string): EnvoyStats {
  const document = readJsonObject(text, 'envoy-stats')
  if (!Array.isArray(document.stats)) throw new ParseError('envoy-stats: JSON without stats')
  const stats: EnvoyStat[] = []
  const texts: Record<string, string> = {}
  for (const entry of arrayIn(document.stats).filter(isObject)) {
    const name = stringOrNull(entry.name)
    if (name === null) continue
    if (typeof entry.value === 'number') stats.push(statOf(name, entry.value))
    else if (typeof entry.value === 'string') texts[name] = entry.value
  }
  return { stats, texts }
}

/** `envoy_cluster_upstream_rq_total{cluster_name="…"} 5`; the labels say the scope, the name has dots turned into underscores. */
function fromPrometheus(text: string): EnvoyStats {
  const stats: EnvoyStat[] = []
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(\{.*\})? (-?[\d.e+-]+|NaN)\r?$/.exec(line)
    const name = match?.[1]
    const value = numberOrNull(match?.[3])
    if (name === undefined || value === null || /_(?:bucket|sum|count)$/.test(name)) continue
    const labels = match?.[2] ?? ''
    stats.push({ name: name + labels, ...splitMetricName(name, labels), value })
  }
  if (stats.length === 0) throw new ParseError(`envoy-stats: no metrics in ${quoteStart(text)}`)
  return { stats, texts: {} }
}

function statOf(name: string, value: number): EnvoyStat {
  return { name, ...splitStatName(name), value }
}
