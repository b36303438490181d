import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { Option } from 'commander'
import type { CompiledFormat } from '../../../parsers/access-log-format.ts'
import { ParseError, UserError } from '../../model/errors.ts'
import { readFilter } from '../../report/log-filter.ts'
import type { LogReading } from '../../report/log-summary-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print, wantsColour } from '../io.ts'
import { chunksUntil, openLogFile } from '../log-files.ts'
import { type LineOutput, lineOutput, redacted } from '../log-output.ts'
import type { LogRange } from '../log-ranges.ts'
import { createLogReader, type LogReader } from '../log-reader.ts'
import type { CliCommand } from '../program.ts'
import { addClusterOptions, type ClusterFlags, colorOption } from '../shared-options.ts'

interface LogsFlags extends ClusterFlags {
  readonly follow?: boolean
  readonly since?: string
  readonly tail?: string
  readonly where?: readonly string[]
  readonly format?: string
  readonly output: 'text' | 'json' | 'ndjson'
  readonly previous?: boolean
  readonly parseOnly?: boolean
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage logs deploy/web.shop --since 15m
  meshtriage logs deploy/web.shop --follow --where 'failed=true who!=app'
  meshtriage logs access.log --where 'code>=500 path~^/api'
  meshtriage logs ds/ztunnel -n istio-system --since 5m
  kubectl logs deploy/web -c istio-proxy | meshtriage logs - -o json | jq .who

Filters: code duration received sent flag detail method path host route cluster upstream peer sni agent id
         transport who failed, each with = != ~ !~ > >= < <= ; several must all hold. who is what the
         summary says: app server-proxy client-proxy gateway waypoint ztunnel nobody next-hop this-proxy

Exit codes: 0 read, 65 no such file or pod, or nothing in it is a log of a proxy, 69 no tool or cluster, 77 no permission
`

const logs: CliCommand = {
  name: 'logs',
  register(program, io, done) {
    const command = program
      .command('logs')
      .description('access logs: who answered, what failed, why and since when; of pods, of a file, of standard input')
      .argument(
        '[source]',
        'POD, deploy/NAME, svc/NAME, ds/ztunnel, …[.NAMESPACE]; a file; - or nothing: standard input',
      )
      .option('-f, --follow', 'print lines as they come instead of a summary, coloured by who answered')
      .option('--since <duration>', 'only lines this young: 15m, 2h')
      .option('--tail <lines>', 'only the last lines, of each pod or of the file')
      .option('--where <filter...>', 'only lines that fit: code>=500 flag=UC path~/api who!=app')
      .option('--format <text>', 'log format of the proxy, as in meshConfig.accessLogFormat; live it is looked up')
      .option('-p, --previous', 'the log of the container before its last restart')
      .addOption(
        new Option('-o, --output <format>', 'json: the summary; ndjson: every line with who answered')
          .choices(['text', 'json', 'ndjson'])
          .default('text'),
      )
      .option('--parse-only', 'read a file and say only how fast, and how many lines of which kind')
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (source: string | undefined, flags: LogsFlags) => done(await run(io, source, flags)))
  },
}
export default logs

async function run(io: Io, source: string | undefined, flags: LogsFlags): Promise<number> {
  if (flags.follow && flags.output === 'json')
    throw new UserError('--follow has no end, and -o json is one document', 'use -o ndjson: one document a line')
  if (source === undefined && io.stdin.isTTY)
    throw new UserError(
      'which log?',
      `name a pod or a file: ${io.programName} logs deploy/web.shop, or pipe one: … | ${io.programName} logs -`,
    )
  const tail = flags.tail === undefined ? null : readTail(flags.tail)
  const sinceMs = await sinceOf(io, flags)
  const work: Work = { io, flags, tail, sinceMs, format: await readFormat(flags.format) }
  if (source === undefined || source === '-') {
    if (tail !== null)
      throw new UserError('--tail: standard input has no known end', `… | tail -n ${tail} | meshtriage logs -`)
    return readStream(work, io.stdin, [])
  }
  const path = resolve(io.cwd, source)
  if (!existsSync(path) && !looksLikeFile(source)) {
    if (flags.parseOnly) throw new UserError('--parse-only measures how fast a file is read', `${source}: no such file`)
    return readPods(work, source)
  }
  const { stream, bytes, start, isPlain } = await openLogFile(path, source, tail)
  if (flags.parseOnly) return measure(work, stream(), bytes)
  // Printed lines come in their order; a summary has none.
  const isShared = isPlain && !flags.follow && flags.output !== 'ndjson'
  const reader = isShared ? await readLarge(work, path, { start, end: start + bytes }) : null
  return reader ? conclude(work, reader, [source], []) : readStream(work, stream(), [source])
}

interface Work {
  readonly io: Io
  readonly flags: LogsFlags
  readonly tail: number | null
  readonly sinceMs: number | null
  readonly format: CompiledFormat | undefined
}

/** `./x`, `/x`, `x.log`: nobody names a pod like that. */
function looksLikeFile(source: string): boolean {
  return /^(?:\.{0,2}\/|~)/.test(source) || /\.(?:log|txt|json|ndjson|gz|out)$/.test(source)
}

function readTail(text: string): number {
  if (!/^\d+$/.test(text)) throw new UserError(`--tail ${text}: no number of lines`, 'for example --tail 1000')
  return Number(text)
}

async function sinceOf(io: Io, { since }: LogsFlags): Promise<number | null> {
  if (since === undefined) return null
  const { readDuration } = await import('../settings.ts')
  return io.now().getTime() - readDuration(since, '--since')
}

async function readFormat(text: string | undefined): Promise<CompiledFormat | undefined> {
  if (text === undefined) return undefined
  const { compileAccessLogFormat } = await import('../../../parsers/access-log-format.ts')
  try {
    return compileAccessLogFormat(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new UserError(`--format: ${error.message}`, 'give it as in meshConfig.accessLogFormat, in quotes')
  }
}

async function readStream(work: Work, stream: Readable, sources: readonly string[]): Promise<number> {
  const { io } = work
  const output = outputOf(work, false)
  const reader = await openReader(work, output, null, work.format)
  const scanner = reader.open('')
  for await (const chunk of chunksUntil(stream, io.interrupt)) {
    scanner.push(chunk)
    await output?.flush()
  }
  scanner.end()
  await output?.flush()
  return conclude(work, reader, sources, [])
}

/** A large file is read by several threads; null where that is not worth it or cannot be done. */
async function readLarge(work: Work, path: string, whole: LogRange): Promise<LogReader | null> {
  const { inThread, readShared, threadsFor, workerFile } = await import('../log-crew.ts')
  const { flags, format, io, sinceMs } = work
  const threads = threadsFor(whole.end - whole.start)
  const file = workerFile()
  if (threads < 2 || file === null) return null
  const crew = inThread(file, { path, format: flags.format, where: flags.where ?? [], sinceMs })
  try {
    const reader = await openReader(work, null, null, format)
    await readShared(reader, path, whole, { threads, format, elsewhere: crew.read }, io.interrupt)
    return reader
  } finally {
    crew.end()
  }
}

async function readPods(work: Work, source: string): Promise<number> {
  const { io, flags } = work
  const [{ readTarget }, { findLogSources }, { liveTools }, { readSettings }] = await Promise.all([
    import('../target.ts'),
    import('../log-sources.ts'),
    import('../walk-session.ts'),
    import('../settings.ts'),
  ])
  const target = readTarget(source)
  const settings = readSettings(io.cwd, io.env)
  const live = liveTools(io, { ...settings, ...flags })
  const since = flags.since ?? settings.since
  const found = await findLogSources(
    live,
    {
      target,
      namespace: flags.namespace ?? settings.namespace,
      istioNamespace: flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system',
      revision: flags.revision ?? settings.revision,
      flags: [
        ...(since === undefined ? [] : [`--since=${since}`]),
        ...(work.tail === null ? [] : [`--tail=${work.tail}`]),
        ...(flags.follow ? ['--follow'] : []),
        ...(flags.previous ? ['--previous'] : []),
      ],
    },
    io.interrupt,
  )
  const output = outputOf(work, found.sources.length > 1)
  // kubectl has cut the log at its own clock already.
  const reader = await openReader({ ...work, sinceMs: null }, output, found.podRole, work.format ?? found.format)
  const { failedCommand } = await import('../failed-command.ts')
  const failures = await Promise.all(
    found.sources.map(async ({ name, command }) => {
      const scanner = reader.open(name)
      const end = await live.stream(command, io.interrupt, (text) => {
        scanner.push(text)
        void output?.flush()
      })
      scanner.end()
      await output?.flush()
      const failed = end.exit.kind !== 'canceled' && (end.exit.kind !== 'exited' || end.exit.code !== 0)
      return failed ? { name, error: failedCommand({ ...end, stdout: '' }, command) } : null
    }),
  )
  const broken = failures.filter((failure) => failure !== null)
  if (broken.length === found.sources.length && broken[0]) throw broken[0].error
  const gaps = [...found.gaps, ...broken.map(({ name, error }) => `${name}: ${error.message}`)]
  const read = found.sources.map(({ name }) => name)
  return conclude(work, reader, read, gaps)
}

function outputOf({ io, flags }: Work, isMany: boolean): LineOutput | null {
  if (!flags.follow && flags.output !== 'ndjson') return null
  return lineOutput(io, {
    asJson: flags.output === 'ndjson',
    colour: wantsColour(io, flags.color, io.stdout),
    isMany,
  })
}

async function openReader(
  { flags, sinceMs }: Work,
  output: LineOutput | null,
  podRole: Parameters<typeof createLogReader>[0]['podRole'],
  format: CompiledFormat | undefined,
): Promise<LogReader> {
  const { readTunnel } = await import('../log-part.ts')
  return createLogReader({
    podRole,
    format,
    filter: readFilter(flags.where ?? []),
    sinceMs,
    readTunnel,
    onLine: output ? output.line : null,
    onTunnel: output ? output.tunnel : null,
  })
}

async function conclude(
  { io, flags }: Work,
  reader: LogReader,
  sources: readonly string[],
  gaps: readonly string[],
): Promise<number> {
  const summary = reader.tally.summary()
  const reading = reader.reading(sources, gaps)
  const { logSummaryText } = await import('../../report/log-summary-text.ts')
  if (flags.follow || flags.output === 'ndjson') {
    for (const gap of gaps) await print(io.stderr, `not read: ${gap}\n`)
  } else if (flags.output === 'json') {
    const { logSummaryJson } = await import('../../report/log-summary-json.ts')
    await print(io.stdout, await redacted(`${JSON.stringify(logSummaryJson(summary, reading), null, 2)}\n`))
  } else {
    const width = Math.min(io.stdout.columns ?? 80, 110)
    const text = logSummaryText(summary, reading, { width, colour: wantsColour(io, flags.color, io.stdout) })
    await print(io.stdout, await redacted(text))
  }
  if (io.interrupt.aborted) return exitCodes.interrupted
  return isForeign(reading) ? await refuse(io, reading) : exitCodes.clean
}

/** Lines, and none that any proxy of a mesh would write. */
function isForeign({ lines, unreadable, other }: LogReading): boolean {
  return unreadable > 0 && unreadable === lines && other === 0
}

async function refuse(io: Io, { lines }: LogReading): Promise<number> {
  await print(
    io.stderr,
    `${io.programName}: none of ${lines} ${lines === 1 ? 'line' : 'lines'} is of a proxy's log\n  a custom format can be given with --format; meshtriage explain reads other texts\n`,
  )
  return exitCodes.input
}

async function measure(work: Work, stream: Readable, bytes: number): Promise<number> {
  const reader = await openReader(work, null, null, work.format)
  const scanner = reader.open('')
  const started = performance.now()
  for await (const chunk of chunksUntil(stream, work.io.interrupt)) scanner.push(chunk)
  const counts = scanner.end()
  const seconds = (performance.now() - started) / 1000
  const megabytes = bytes / 1_000_000
  const other = counts.other.agent + counts.other.envoy + counts.other.ztunnel + counts.other.continuation
  await print(
    work.io.stdout,
    `${megabytes.toFixed(1)} MB in ${seconds.toFixed(2)} s: ${(megabytes / Math.max(seconds, 0.001)).toFixed(0)} MB/s\n` +
      `${counts.lines} lines: ${counts.records} access log, ${other} other, ${counts.other.blank} blank, ${counts.unparsed} unreadable\n`,
  )
  return exitCodes.clean
}
