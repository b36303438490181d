import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import { logLine, tunnelLine } from '../report/log-line.ts'
import type { LineOutcome } from '../report/log-summary-outcome.ts'
import { type Io, print } from './io.ts'

interface LineOutputOptions {
  readonly asJson: boolean
  readonly colour: boolean
  /** Lines of several pods come together, so each says whose it is. */
  readonly isMany: boolean
}

/** Prints lines as they come. */
export interface LineOutput {
  readonly line: (record: AccessLogRecord, outcome: LineOutcome, source: string) => void
  readonly tunnel: (record: ZtunnelRecord, source: string) => void
  /** Hands on what has come together, and waits until it was taken. */
  readonly flush: () => Promise<void>
}

export function lineOutput(io: Io, { asJson, colour, isMany }: LineOutputOptions): LineOutput {
  let ready = ''
  const named = (source: string) => (isMany ? source : undefined)
  return {
    line(record, outcome, source) {
      const { raw: _, ...fields } = record
      ready += asJson
        ? `${JSON.stringify({ ...fields, ...outcome, ...(source ? { pod: source } : {}) })}\n`
        : `${logLine(record, outcome, { colour, source: named(source) })}\n`
    },
    tunnel(record, source) {
      const { raw: _, ...fields } = record
      ready += asJson
        ? `${JSON.stringify({ kind: 'ztunnel', ...fields, failed: record.error !== null, ...(source ? { pod: source } : {}) })}\n`
        : `${tunnelLine(record, { colour, source: named(source) })}\n`
    },
    async flush() {
      if (ready === '') return
      const text = ready
      ready = ''
      await print(io.stdout, await redacted(text))
    },
  }
}

/** Paths carry tokens, and so do user agents. */
export async function redacted(text: string): Promise<string> {
  const { createRedact } = await import('../exec/redact.ts')
  return createRedact()(text).text
}
