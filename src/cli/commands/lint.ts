import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Option } from 'commander'
import { stringify } from 'yaml'
import analyzeParser from '../../../parsers/analyze.ts'
import { classify } from '../../engine/classify.ts'
import { createRedact } from '../../exec/redact.ts'
import { emptyGiven } from '../../model/call.ts'
import type { Command } from '../../model/command.ts'
import { ParseError, UserError } from '../../model/errors.ts'
import type { KubeObject } from '../../model/kube.ts'
import { documentJson } from '../../report/document-json.ts'
import { type LintEntry, lintReport, type Severity, severityOf } from '../../report/lint-report.ts'
import { lintText } from '../../report/lint-report-text.ts'
import type { NotRead } from '../../report/not-read.ts'
import { collectSituation, failFor, type LookingTools, lookingTools, notReadOf } from '../collect-situation.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import { ownFindings } from '../own-lint.ts'
import { pageOptions } from '../page-options.ts'
import type { CliCommand } from '../program.ts'
import { ask, readCluster } from '../read-cluster.ts'
import { type FileObjects, inNamespace, readObjectFiles } from '../read-objects.ts'
import { redactStrings } from '../redact-strings.ts'
import { readSettings, type Settings, stateFolder } from '../settings.ts'
import { addClusterOptions, type ClusterFlags, colorOption } from '../shared-options.ts'
import { fromAnnotations, fromFlags, fromSettings } from '../suppressions.ts'
import { readTool } from '../tool.ts'

interface LintFlags extends ClusterFlags {
  readonly file?: string[]
  readonly allNamespaces?: boolean
  readonly level?: Severity
  readonly failOn?: Severity
  readonly suppress?: string[]
  readonly analyze: boolean
  readonly output?: 'text' | 'json' | 'sarif' | 'junit'
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage lint -n shop
  meshtriage lint -f mesh/ -o sarif > lint.sarif
  helm template . | meshtriage lint -f - --fail-on warning
  meshtriage lint -A -S "IST0102=Namespace legacy"

Suppressing, each with a reason, in .meshtriage.yaml:
  suppress:
    - code: IST0102
      object: Namespace legacy
      reason: has no mesh on purpose
      until: 2026-12-31
or on the object: annotation meshtriage.io/suppress: "IST0102=has no mesh on purpose;until=2026-12-31"

Exit codes: 0 nothing at or above --fail-on, 79 findings at or above it, 80 something could not be read,
            64 wrong use, 65 unreadable input, 69 no tool or cluster, 77 no permission
`

const severities = ['error', 'warning', 'info'] as const

const lint: CliCommand = {
  name: 'lint',
  register(program, io, done) {
    const command = program
      .command('lint')
      .description('istioctl analyze and our own rules in one list, of a cluster or of files')
      .option('-f, --file <file...>', 'files or folders (YAML or JSON) instead of a cluster; - for standard input')
      .option('-A, --all-namespaces', 'all namespaces (the default without -n)')
      .addOption(
        new Option('--level <severity>', 'least severity that is shown').choices([...severities]).default('info'),
      )
      .addOption(
        new Option('--fail-on <severity>', 'least severity that makes the exit code 79')
          .choices([...severities])
          .default('error'),
      )
      .option(
        '-S, --suppress <code...>',
        'leave out a code, everywhere or on an object: CODE or "CODE=Kind ns/name", * for any text',
      )
      .option('--no-analyze', 'only our own rules; istioctl is not run')
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json', 'sarif', 'junit']))
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (flags: LintFlags) => {
      done(await run(io, flags))
    })
  },
}
export default lint

async function run(io: Io, flags: LintFlags): Promise<number> {
  const settings = readSettings(io.cwd, io.env)
  if (flags.file && flags.allNamespaces)
    throw new UserError('-A asks a cluster, and -f reads files', 'give one of them')
  if (flags.allNamespaces && flags.namespace !== undefined) throw new UserError('-A and -n contradict each other')
  const suppressions = [...fromFlags(flags.suppress ?? []), ...fromSettings(settings)]
  const looked = flags.file
    ? await lookAtFiles(io, flags, settings, flags.file)
    : await lookAtCluster(io, flags, settings)
  if (io.interrupt.aborted) return exitCodes.interrupted
  const { fails, ...report } = lintReport({
    ...looked,
    suppressions: [...suppressions, ...fromAnnotations(looked.objects)],
    today: today(io),
    level: flags.level ?? 'info',
    failOn: flags.failOn ?? 'error',
  })
  const shown = redactStrings(report, createRedact(settings.redact?.patterns ?? []))
  await print(io.stdout, await rendered(io, shown, flags, settings))
  if (fails) return exitCodes.found
  return report.notRead.length > 0 ? exitCodes.inconclusive : exitCodes.clean
}

async function rendered(
  io: Io,
  report: Parameters<typeof lintText>[0],
  { output, color }: LintFlags,
  settings: Settings,
): Promise<string> {
  if (output === 'json') return documentJson(report)
  if (output === 'sarif') return documentJson((await import('../../report/sarif.ts')).sarif(report, readTool()))
  if (output === 'junit') return (await import('../../report/junit.ts')).junit(report)
  return lintText(report, pageOptions(io, color ?? settings.color))
}

function today(io: Io): string {
  return io.now().toISOString().slice(0, 10)
}

interface Looked {
  readonly scope: string
  readonly objects: readonly KubeObject[]
  readonly entries: readonly LintEntry[]
  readonly skipped: readonly string[]
  readonly notRead: readonly NotRead[]
}

/** What our rules read; kinds that the cluster does not serve are left out. */
const resources = [
  'pods',
  'services',
  'namespaces',
  'deployments.apps',
  'authorizationpolicies.security.istio.io',
  'requestauthentications.security.istio.io',
  'peerauthentications.security.istio.io',
  'virtualservices.networking.istio.io',
  'destinationrules.networking.istio.io',
  'serviceentries.networking.istio.io',
  'sidecars.networking.istio.io',
  'gateways.networking.istio.io',
  'envoyfilters.networking.istio.io',
  'telemetries.telemetry.istio.io',
  'gateways.gateway.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
] as const

async function lookAtCluster(io: Io, flags: LintFlags, settings: Settings): Promise<Looked> {
  const tools = lookingTools(io, settings, flags)
  const namespace = flags.namespace ?? (flags.allNamespaces ? null : (settings.namespace ?? null))
  const istioNamespace = flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system'
  const where = namespace === null ? ['-A'] : ['-n', namespace]
  const given = { ...emptyGiven('unknown'), istioNamespace, revision: flags.revision ?? settings.revision ?? null }
  const [analyzed, read, settled] = await Promise.all([
    flags.analyze ? analyze(io, tools, [...where, ...istioFlag(istioNamespace)]) : nothingAnalyzed,
    readCluster(io, tools, {
      resources,
      // Policies of the root namespace reach everywhere.
      namespaces: namespace === null ? null : [...new Set([namespace, istioNamespace])],
    }),
    collectSituation(io, tools, { given, keys: ['mesh.meshConfig'] }),
  ])
  if (!io.interrupt.aborted && analyzed.entries === null) failFor([...read.failures, ...analyzed.failures])
  const own = ownFindings(read.objects, {
    istioNamespace,
    mesh: settled.situation.meshEntry === null ? null : settled.situation.mesh,
    today: today(io),
  })
  return {
    scope: namespace === null ? 'all namespaces' : `namespace ${namespace}`,
    objects: read.objects,
    entries: [
      ...(analyzed.entries ?? []),
      ...own.filter(
        ({ object }) => namespace === null || object?.namespace === namespace || object?.name === namespace,
      ),
    ],
    skipped: [],
    notRead: [...analyzed.notRead, ...read.notRead, ...notReadOf(settled.entries)],
  }
}

async function lookAtFiles(io: Io, flags: LintFlags, settings: Settings, named: readonly string[]): Promise<Looked> {
  const read = await readObjectFiles(io, named)
  const tools = lookingTools(io, settings, flags)
  const namespace = flags.namespace ?? settings.namespace
  const istioNamespace = flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system'
  const objects = read.objects.map(({ object }) => inNamespace(object, namespace ?? 'default'))
  const analyzed = flags.analyze
    ? await withFiles(io, read, (files) =>
        analyze(io, tools, [
          '--use-kube=false',
          ...(namespace ? ['-n', namespace] : []),
          ...istioFlag(istioNamespace),
          ...files,
        ]),
      )
    : nothingAnalyzed
  const places = new Map(read.objects.map(({ file, line }, index) => [objects[index], `${file}:${line}`]))
  const own = ownFindings(
    objects,
    { istioNamespace, mesh: null, today: today(io) },
    (object) => places.get(object) ?? null,
  )
  return {
    scope: named.length === 1 ? (named[0] === '-' ? 'standard input' : (named[0] ?? '')) : `${read.files.length} files`,
    objects,
    entries: [...(analyzed.entries ?? []), ...own],
    skipped: read.skipped.map(({ file, line, why }) => `${file}:${line}: ${why}`),
    notRead: analyzed.notRead,
  }
}

function istioFlag(namespace: string): readonly string[] {
  return namespace === 'istio-system' ? [] : ['-i', namespace]
}

/** istioctl reads files only; what came through a pipe lies in one of ours as long as it reads. */
async function withFiles<T>(io: Io, read: FileObjects, use: (files: readonly string[]) => Promise<T>): Promise<T> {
  if (!read.files.includes('-')) return use(read.files)
  const folder = stateFolder(io.env)
  const path = join(folder, `lint-${io.now().getTime()}-${Math.random().toString(36).slice(2)}.yaml`)
  const piped = read.objects.filter(({ file }) => file === 'standard input').map(({ object }) => object)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(path, piped.map((object) => stringify(object)).join('---\n'), { mode: 0o600 })
  } catch {
    return use(read.files.filter((file) => file !== '-'))
  }
  try {
    return await use(read.files.map((file) => (file === '-' ? path : file)))
  } finally {
    await rm(path, { force: true })
  }
}

interface Analyzed {
  readonly entries: readonly LintEntry[] | null
  readonly notRead: readonly NotRead[]
  readonly failures: readonly { readonly reason: string; readonly detail: string; readonly unlock: string | null }[]
}

const nothingAnalyzed: Analyzed = { entries: [], notRead: [], failures: [] }

async function analyze(io: Io, tools: LookingTools, args: readonly string[]): Promise<Analyzed> {
  const command: Command = { file: 'istioctl', args: ['analyze', ...args, '-o', 'json'], timeoutMs: 60_000 }
  const result = await ask(io, tools, command)
  const failed = (reason: string, detail: string, unlock: string | null): Analyzed => ({
    entries: null,
    notRead: [{ what: 'istioctl analyze', reason: detail, unlock }],
    failures: [{ reason, detail, unlock }],
  })
  const isAnswer = result.exit.kind === 'exited' && (result.exit.code === 0 || result.exit.code === 79)
  if (!isAnswer) {
    const { reason, detail, unlock } = classify(result, command)
    return failed(reason, detail, unlock ?? null)
  }
  try {
    return { entries: analyzeParser.parse(result.stdout).map(entryOf), notRead: [], failures: [] }
  } catch (error) {
    if (error instanceof ParseError)
      return failed('unreadable', `could not read what it printed: ${error.message}`, null)
    throw error
  }
}

function entryOf(finding: ReturnType<typeof analyzeParser.parse>[number]): LintEntry {
  const { code, level, message, origin, reference, documentationUrl } = finding
  return {
    code,
    severity: severityOf(level),
    source: 'analyze',
    object: origin,
    message,
    why: null,
    fix: null,
    reference,
    documentationUrl,
  }
}
