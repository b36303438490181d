import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import { forLine } from './escape.ts'
import type { LineOutcome, WhoAnswered } from './log-summary-outcome.ts'
import { whoWords } from './log-summary-text.ts'
import { type PageStyle, paintText } from './page.ts'

export interface LogLineOptions {
  readonly colour: boolean
  /** Put in front where lines of several pods come together. */
  readonly source?: string | undefined
}

/** The application's own failures look different from what a proxy decided: that is the question this view answers. */
function styleOf({ who, failed }: LineOutcome): PageStyle | undefined {
  if (!failed) return 'dim'
  const styles: Partial<Record<WhoAnswered, PageStyle>> = {
    app: 'note',
    external: 'note',
    'next-hop': 'doubt',
    nobody: 'doubt',
  }
  return styles[who] ?? 'bad'
}

const longestWho = 20

/** One access-log line as people read it: when, who answered, what, and where to. */
export function logLine(record: AccessLogRecord, outcome: LineOutcome, { colour, source }: LogLineOptions): string {
  const { kind, code, flags, details, termination, method, path, authority, upstreamCluster, upstreamHost } = record
  const said = [
    kind === 'tcp' ? 'TCP' : String(code ?? 0),
    flags.length > 0 ? flags.join(',') : '-',
    details ?? termination ?? '-',
  ].join(' ')
  const request = kind === 'tcp' ? '' : [method, path].filter((part) => part !== null).join(' ')
  const target = upstreamCluster ?? authority ?? upstreamHost
  const parts = [
    record.time?.slice(11, 23) ?? '',
    whoWords[outcome.who].replace(' (*)', '').replace('nobody: ', '').padEnd(longestWho),
    said,
    request,
    target === null ? '' : `→ ${target}`,
    record.durationMs === null ? '' : `${record.durationMs} ms`,
  ]
  return finish(parts, styleOf(outcome), colour, source)
}

export function tunnelLine(record: ZtunnelRecord, { colour, source }: LogLineOptions): string {
  const { srcWorkload, srcNamespace, srcAddress, dstWorkload, dstNamespace, dstAddress, dstService, error } = record
  const from = srcWorkload === null ? srcAddress : `${srcWorkload}.${srcNamespace ?? '?'}`
  const to = dstService ?? (dstWorkload === null ? dstAddress : `${dstWorkload}.${dstNamespace ?? '?'}`)
  const parts = [
    record.time?.slice(11, 23) ?? '',
    (error === null ? 'carried' : 'ztunnel').padEnd(longestWho),
    error ?? record.message,
    record.direction ?? '',
    `${from ?? 'unknown'} → ${to ?? 'unknown'}`,
  ]
  return finish(parts, error === null ? 'dim' : 'bad', colour, source)
}

function finish(
  parts: readonly string[],
  style: PageStyle | undefined,
  colour: boolean,
  source: string | undefined,
): string {
  const line = [source ?? '', ...parts]
    .filter((part) => part !== '')
    // The padded column must keep its blanks, so only what came from the log is put on one line.
    .map((part) => (part.endsWith(' ') ? part : forLine(part)))
    .join('  ')
  return paintText(line, colour ? style : undefined)
}
