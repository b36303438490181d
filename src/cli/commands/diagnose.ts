import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Argument } from 'commander'
import { addCounts, createRedact, type Redact, redactNothing } from '../../exec/redact.ts'
import { emptyGiven, type Given, SymptomId } from '../../model/call.ts'
import { UserError } from '../../model/errors.ts'
import type { FailingCall } from '../../situation/failing-calls.ts'
import type { Pasted } from '../../situation/hints.ts'
import { type Io, print, readStdin } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { readPasted, symptomOf } from '../read-pasted.ts'
import { refuseUnredacted } from '../render-note.ts'
import { findRunbook } from '../runbooks.ts'
import { type ScriptedWalk, scriptedWalk } from '../scripted-walk.ts'
import { configFolder, readDuration, readSettings } from '../settings.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  colorOption,
  failOnOption,
  type NoteFormat,
  outputOption,
  readHeader,
} from '../shared-options.ts'
import { nearest } from '../suggest.ts'
import { readTarget } from '../target.ts'
import { liveTools } from '../walk-session.ts'

interface DiagnoseFlags extends ClusterFlags {
  readonly from?: string
  readonly to?: string
  readonly host?: string
  readonly method?: string
  readonly path?: string
  readonly header?: string[]
  readonly jwt?: string
  readonly log?: string
  readonly curl?: string
  readonly since?: string
  readonly budget?: string
  readonly exec: boolean
  readonly save?: string | boolean | undefined
  readonly redact: boolean
  readonly pseudonyms?: boolean
  readonly failOn?: ScriptedWalk['failOn']
  readonly output?: NoteFormat
  readonly color?: 'auto' | 'always' | 'never'
  readonly events?: boolean
  readonly quiet?: boolean
  readonly runbook?: string
  readonly open?: string
}

const symptomWords = SymptomId.options.filter((word) => word !== 'unknown')

const examples = `
Examples:
  meshtriage diagnose 503 --from deploy/web.shop --to svc/ledger.pay:8080
  meshtriage diagnose 403 --from deploy/cart.shop --to svc/ledger.pay:8080 --method POST --path /api/transfer -o markdown
  meshtriage diagnose --log line.txt -o json | jq -r .summary
  kubectl logs deploy/web -c istio-proxy | meshtriage diagnose --log -
  meshtriage diagnose --open bug-report.tar.gz
  meshtriage diagnose tls --host shop.example.com --to svc/web.shop:80

Exit codes: 0 clean, 79 cause or suspects found, 80 something needed could not be looked at,
            64 wrong use, 65 unreadable input, 69 no tool or cluster, 77 no permission, 130 interrupted
`

const command: CliCommand = {
  name: 'diagnose',
  register(program, io, done) {
    const own = program
      .command('diagnose')
      .description('walk the layers of one failing call and name what decided, with proof')
      .addArgument(
        new Argument(
          '[symptom]',
          `what the callers see: ${symptomWords.join(' ')}; left out when a line or transcript says it`,
        ),
      )
      .option('--from <target>', 'who calls: deploy/web.shop, pod/web-1.shop; left out: outside, or what the log says')
      .option('--to <target>', 'what is called: svc/ledger.pay:8080, or a host')
      .option('--host <name>', 'Host header or SNI the caller used')
      .option('--method <verb>', 'HTTP method')
      .option('--path <path>', 'path of the request')
      .option('--header <name=value...>', 'a header the caller sent; may be repeated')
      .option('--jwt <file>', "JSON file with the claims of the caller's token")
      .option('--log <file>', 'access-log lines from a file, or - for standard input')
      .option('--curl <file>', 'what curl -v printed at the caller, or - for standard input')
      .option('--since <duration>', 'only log lines this young, as kubectl logs --since')
      .option('--budget <duration>', 'conclude from what is known after this long, for example 60s')
      .option('--no-exec', 'nothing that execs into a pod or forwards a port (no istioctl proxy-config)')
      .option('--save <dir>', 'put the session folder in this directory')
      .option('--no-save', 'keep no session folder')
      .option('--no-redact', 'keep secrets in session and note (refused for html and slack)')
      .option('--pseudonyms', 'names and addresses made unreadable in the result; the map back stays in the session')
      .option(
        '--open <archive>',
        'ask an istioctl bug-report archive or a folder of saved outputs instead of a cluster',
      )
      .option('--runbook <name|file>', 'use this runbook instead of the one for the symptom')
      .addOption(failOnOption())
      .addOption(outputOption())
      .addOption(colorOption())
      .option('--events', 'NDJSON of everything that happens, on stdout, the note last')
      .option('-q, --quiet', 'no progress on stderr')
      .addHelpText('after', examples)
    addClusterOptions(own)
    own.action(async (symptom: string | undefined, flags: DiagnoseFlags) => {
      const noSave = own.getOptionValueSource('save') === 'cli' && flags.save === false
      done(await diagnose(io, symptom, { ...flags, save: noSave ? false : flags.save }))
    })
  },
}
export default command

/** The command itself. `flags.save` false: keep nothing. */
export async function diagnose(io: Io, symptomText: string | undefined, flags: DiagnoseFlags): Promise<number> {
  const format = flags.output ?? 'text'
  refuseUnredacted(format, flags.redact)
  const settings = readSettings(io.cwd, io.env)
  const redact = flags.redact ? createRedact(settings.redact?.patterns ?? []) : redactNothing
  const { logText, curlText, pasted, counts } = await readInputs(io, flags, redact)
  const source = flags.open === undefined ? null : await openArchiveSource(flags.open)
  try {
    const symptom = readSymptom(symptomText) ?? symptomOf(pasted)
    const asked = { symptom, from: flags.from, to: flags.to ?? flags.host }
    let call: FailingCall | null = null
    if (source && (symptom === null || (flags.to === undefined && flags.host === undefined && isNothing(pasted)))) {
      const { describeArchive, failingCallsOf, fitting, showCalls } = await import('../archive-calls.ts')
      const calls = fitting(await failingCallsOf(source, redact), asked)
      if (calls.length !== 1 || !calls[0]?.to)
        return showCalls(io, { calls, about: source.describe(), path: flags.open ?? '', format })
      call = calls[0]
      if (!flags.quiet) await print(io.stderr, `${describeArchive(source.describe())}\n`)
    }
    // Somebody who names the destination and no symptom wants to know what fails there, if anything.
    const meant = symptom ?? call?.symptom ?? (flags.to === undefined ? null : ('unknown' as const))
    if (meant === null) {
      throw new UserError(
        'what do the callers see?',
        `name a symptom: ${symptomWords.join(' ')}; or give a line with --log, or a transcript with --curl`,
      )
    }
    const from = flags.from ?? call?.from ?? undefined
    const to = flags.to ?? call?.to ?? undefined
    const given: Given = {
      ...emptyGiven(meant),
      from: from === undefined ? null : readTarget(from),
      to: to === undefined ? null : readTarget(to),
      host: flags.host ?? null,
      method: flags.method?.toUpperCase() ?? null,
      path: flags.path ?? null,
      headers: (flags.header ?? []).map(readHeader),
      jwtClaims: flags.jwt === undefined ? null : readClaims(await readInput(io, flags.jwt, '--jwt'), flags.jwt),
      logText,
      curlText,
      namespace: flags.namespace ?? settings.namespace ?? null,
      istioNamespace: flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system',
      revision: flags.revision ?? settings.revision ?? null,
      since: flags.since ?? settings.since ?? null,
      noExec: !flags.exec || settings.exec === false,
    }
    const cluster = {
      context: flags.context ?? settings.context,
      kubeconfig: flags.kubeconfig ?? settings.kubeconfig,
      as: flags.as ?? settings.as,
      asGroup: flags.asGroup ?? settings.asGroup,
    }
    const budget = flags.budget ?? settings.budget
    const found = findRunbook(meant, flags.runbook, join(configFolder(io.env), 'runbooks'))
    return await scriptedWalk({
      io,
      settings,
      given,
      pasted,
      counts,
      runbook: found.runbook,
      runbookText: found.origin === 'built-in' ? null : await readFile(found.path, 'utf8'),
      run: (writer) => source?.run ?? liveTools(io, cluster, writer).run,
      mode: source ? 'offline' : 'live',
      context: source ? (source.describe().context ?? null) : (cluster.context ?? null),
      saving: {
        save: flags.save === false ? false : typeof flags.save === 'string' ? flags.save : settings.save,
        redact: flags.redact,
        ...(flags.pseudonyms ? { pseudonyms: true } : {}),
      },
      budgetMs: budget === undefined ? null : readDuration(budget, '--budget'),
      failOn: flags.failOn ?? settings.failOn ?? 'possible',
      format,
      color: flags.color ?? settings.color,
      events: flags.events === true,
      quiet: flags.quiet === true,
    })
  } finally {
    await source?.close()
  }
}

/** What was pasted, without secrets: the walk starts from the same text that a replay will find. */
async function readInputs(io: Io, flags: DiagnoseFlags, redact: Redact) {
  if (flags.log === '-' && flags.curl === '-')
    throw new UserError('--log - and --curl - both want standard input', 'give one of them as a file')
  const log = flags.log === undefined ? null : redact(await readInput(io, flags.log, '--log'))
  const curl = flags.curl === undefined ? null : redact(await readInput(io, flags.curl, '--curl'))
  const [logText, curlText] = [log?.text ?? null, curl?.text ?? null]
  const pasted = readPasted(logText, curlText)
  if (logText !== null && pasted.records.length === 0 && pasted.ztunnel.length === 0)
    throw new UserError(
      `--log ${flags.log}: no access-log line in it that can be read`,
      'meshtriage explain tells what a line is; custom formats need the mesh configuration',
      'input',
    )
  if (curlText !== null && pasted.curl === null)
    throw new UserError(
      `--curl ${flags.curl}: no curl transcript in it that can be read`,
      'paste what curl -v printed, standard error included',
      'input',
    )
  return { logText, curlText, pasted, counts: addCounts(log?.counts ?? {}, curl?.counts ?? {}) }
}

const isNothing = ({ records, ztunnel, curl }: Pasted) => records.length === 0 && ztunnel.length === 0 && curl === null

async function openArchiveSource(path: string) {
  const { openArchive } = await import('../../exec/archive.ts')
  return openArchive(path)
}

function readSymptom(text: string | undefined): SymptomId | null {
  if (text === undefined) return null
  const word = text.toLowerCase()
  const parsed = SymptomId.safeParse(word)
  if (parsed.success) return parsed.data
  throw new UserError(`"${text}" is no symptom`, `${nearest(word, symptomWords)}; known: ${symptomWords.join(' ')}`)
}

export async function readInput(io: Io, path: string, flag: string): Promise<string> {
  if (path === '-') return readStdin(io)
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UserError(
      `${flag} ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : 'cannot be read'}`,
      undefined,
      'input',
    )
  }
}

function readClaims(text: string, path: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(text)
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims))
      return claims as Record<string, unknown> // a JSON object
  } catch {
    // Falls through to the one message for everything that is no object.
  }
  throw new UserError(
    `--jwt ${path}: no JSON object of claims`,
    'for example {"iss": "https://issuer.example", "sub": "me", "aud": "ledger"}',
    'input',
  )
}
