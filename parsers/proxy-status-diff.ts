import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readToolText, refuseErrorText, shorten } from './lib/tool-text.ts'

const Part = z.object({
  matches: z.boolean(),
  /** Routes only, where Envoy has any: when it last took some. */
  lastLoaded: z.string().nullable(),
  /** Unified diff from istiod (-) to Envoy (+). */
  diff: z.string().nullable(),
  /** Values of `"name"` in lines that only one side has: mostly clusters, listeners, filters, routes. */
  namesOnlyInIstiod: z.array(z.string()),
  namesOnlyInEnvoy: z.array(z.string()),
})
type Part = z.infer<typeof Part>

const ProxyStatusDiff = z.object({
  clusters: Part.nullable(),
  listeners: Part.nullable(),
  routes: Part.nullable(),
  /** Why there is no comparison: ztunnel has none. */
  notAvailable: z.string().nullable(),
  logLines: z.array(z.string()),
})
export type ProxyStatusDiff = z.infer<typeof ProxyStatusDiff>

/** `istioctl proxy-status POD`: what istiod would send against what Envoy has. A part that is not printed is null, not equal. */
export default defineParser<ProxyStatusDiff>({
  name: 'proxy-status-diff',
  schema: ProxyStatusDiff,
  parse: (text) => {
    const { body, logLines } = readToolText(text)
    const parts: Record<string, Part> = {}
    let open: { name: string; lines: string[] } | null = null
    let notAvailable: string | null = null
    const close = () => {
      if (!open) return
      parts[open.name] = withDiff(parts[open.name], open.lines)
      open = null
    }
    for (const line of body.split('\n')) {
      const verdict = /^(\w+) (Match|Don't Match)(?: \(RDS last loaded at (.+)\))?$/.exec(line)
      const start = /^--- \w+ (\w+)$/.exec(line)
      if (verdict) {
        close()
        parts[verdict[1]!.toLowerCase()] = {
          ...noDiff,
          matches: verdict[2] === 'Match',
          lastLoaded: verdict[3] ?? null,
        }
      } else if (start) {
        close()
        // Up to 1.21 a difference has no heading of its own.
        open = { name: start[1]!.toLowerCase(), lines: [line] }
      } else if (open) open.lines.push(line)
      else if (/^Sync diff is not available/.test(line)) notAvailable = line
      else if (line.trim() !== '') {
        refuseErrorText(line, 'an error where a comparison was expected')
        throw new ParseError(`no comparison: "${shorten(line)}"`)
      }
    }
    close()
    if (Object.keys(parts).length === 0 && notAvailable === null) throw new ParseError('nothing was printed')
    const { clusters = null, listeners = null, routes = null } = parts
    return { clusters, listeners, routes, notAvailable, logLines: [...logLines] }
  },
})

const noDiff: Part = { matches: false, lastLoaded: null, diff: null, namesOnlyInIstiod: [], namesOnlyInEnvoy: [] }

function withDiff(part: Part | undefined, lines: readonly string[]): Part {
  const names = (sign: string) =>
    new Set(lines.flatMap((line) => (line[0] === sign ? (/^.\s*"name": "([^"]*)"/.exec(line)?.[1] ?? []) : [])))
  const [removed, added] = [names('-'), names('+')]
  return {
    ...(part ?? noDiff),
    matches: false,
    diff: lines.join('\n').trimEnd(),
    namesOnlyInIstiod: [...removed].filter((name) => !added.has(name)),
    namesOnlyInEnvoy: [...added].filter((name) => !removed.has(name)),
  }
}
