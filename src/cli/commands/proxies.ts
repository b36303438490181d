import { Option } from 'commander'
import versionParser from '../../../parsers/istioctl-version.ts'
import type { ProxyStatus } from '../../../parsers/lib/sync-state.ts'
import proxyStatus from '../../../parsers/proxy-status.ts'
import { type Classified, classify } from '../../engine/classify.ts'
import type { Command, CommandResult } from '../../model/command.ts'
import { ParseError, UserError } from '../../model/errors.ts'
import type { KubeObject } from '../../model/kube.ts'
import { documentJson } from '../../report/document-json.ts'
import type { NotRead } from '../../report/not-read.ts'
import { hasProblem, isOpen, type SyncReport, syncReport, syncText } from '../../report/sync-table.ts'
import { viewPod } from '../../situation/pods.ts'
import { failFor, type LookingTools, lookingTools } from '../collect-situation.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import { pageOptions } from '../page-options.ts'
import type { CliCommand } from '../program.ts'
import { ask, readCluster } from '../read-cluster.ts'
import { readSettings } from '../settings.ts'
import { addClusterOptions, type ClusterFlags, colorOption } from '../shared-options.ts'

interface ProxiesFlags extends ClusterFlags {
  readonly allNamespaces?: boolean
  readonly problems?: boolean
  readonly output?: 'text' | 'json'
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage proxies
  meshtriage proxies -n pay --problems
  meshtriage proxies -o json | jq -r '.proxies[] | select(.worst != "ok") | .proxy'

STALE (no answer) and ERROR (rejected) want opposite things; the report says which. A state that this istioctl does not
show is unknown, and never counts as good.

Exit codes: 0 all in sync, 79 something is not, 80 states not shown or not readable, 64 wrong use,
            69 no tool or cluster, 77 no permission
`

const proxies: CliCommand = {
  name: 'proxies',
  register(program, io, done) {
    const command = program
      .command('proxies')
      .description('sync state of every proxy per xDS type, with age and version skew, whatever istioctl prints')
      .option('-A, --all-namespaces', 'proxies of all namespaces (the default)')
      .option('--problems', 'only proxies that are not in sync, or of a version that does not fit')
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']))
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (flags: ProxiesFlags) => {
      done(await run(io, flags))
    })
  },
}
export default proxies

async function run(io: Io, flags: ProxiesFlags): Promise<number> {
  const settings = readSettings(io.cwd, io.env)
  if (flags.allNamespaces && flags.namespace !== undefined) throw new UserError('-A and -n contradict each other')
  const tools = lookingTools(io, settings, flags)
  // Only what was asked for narrows the list: the namespace in a settings file is for targets.
  const namespace = flags.namespace ?? null
  const istioNamespace = flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system'
  const [client, places, pods] = await Promise.all([
    clientVersion(io, tools),
    readCluster(io, tools, { resources: ['pods'], namespaces: [istioNamespace] }),
    readCluster(io, tools, { resources: ['pods'], namespaces: namespace === null ? null : [namespace] }),
  ])
  if (io.interrupt.aborted) return exitCodes.interrupted
  const istiods = places.objects.filter(({ metadata }) => metadata.labels?.app === 'istiod')
  const named = flags.revision ?? settings.revision
  const revisions = named === undefined ? revisionsOf(istiods) : [named]
  const answers = await Promise.all(revisions.map((revision) => statusOf(io, tools, client, revision, istioNamespace)))
  if (io.interrupt.aborted) return exitCodes.interrupted
  const read = answers.flatMap(({ status }) => (status ? [status] : []))
  const failed = answers.flatMap(({ failure }) => (failure ? [failure] : []))
  if (read.length === 0)
    failFor(failed.map(({ reason, detail, unlock }) => ({ reason, detail, unlock: unlock ?? null })))
  const notRead: NotRead[] = [
    ...failed.map(({ detail, unlock }) => ({
      what: 'sync state of the proxies',
      reason: detail,
      unlock: unlock ?? null,
    })),
    ...places.notRead.map((gap) => ({ ...gap, what: `${gap.what}, for the versions of istiod` })),
    ...pods.notRead.map((gap) => ({ ...gap, what: `${gap.what}, for proxies that are missing here` })),
  ]
  // What the tools printed was redacted when it came in.
  const report: SyncReport = syncReport({
    status: merged(read),
    nowMs: io.now().getTime(),
    istioctl: client,
    controlPlanes: new Map(istiods.flatMap((pod) => versionOf(pod))),
    // Who is missing can only be told from all answers of all istiods.
    expected: failed.length > 0 || pods.notRead.length > 0 ? null : expectedOf(pods.objects, named ?? null),
    namespace,
    notRead,
  })
  const options = { ...pageOptions(io, flags.color ?? settings.color), onlyProblems: flags.problems === true }
  await print(io.stdout, flags.output === 'json' ? documentJson(report) : syncText(report, options))
  if (read.length > 0 && hasProblem(report)) return exitCodes.found
  return failed.length > 0 || isOpen(report) ? exitCodes.inconclusive : exitCodes.clean
}

async function clientVersion(io: Io, tools: LookingTools): Promise<string | null> {
  const result = await ask(io, tools, istioctl('version', '--remote=false', '-o', 'json'))
  if (result.exit.kind !== 'exited' || result.exit.code !== 0) return null
  try {
    return versionParser.parse(result.stdout).client
  } catch (error) {
    if (error instanceof ParseError) return null
    throw error
  }
}

/** Each revision's istiod knows its own proxies only. Without a name, istioctl 1.28 and later looks for one by watching webhooks. */
function revisionsOf(istiods: readonly KubeObject[]): readonly (string | null)[] {
  const found = [...new Set(istiods.map(({ metadata }) => metadata.labels?.['istio.io/rev'] ?? 'default'))].sort()
  return found.length > 0 ? found : [null]
}

interface Answer {
  readonly status: ProxyStatus | null
  readonly failure: Classified | null
}

/** The layout with states first, and plainer ones where this istioctl does not know it. */
async function statusOf(
  io: Io,
  tools: LookingTools,
  client: string | null,
  revision: string | null,
  istioNamespace: string,
): Promise<Answer> {
  const minor = Number(/^v?1\.(\d+)/.exec(client ?? '')?.[1] ?? 99)
  const flag =
    minor >= 28
      ? ['--revision', revision ?? 'default']
      : revision !== null && revision !== 'default'
        ? ['--revision', revision]
        : []
  const where = istioNamespace === 'istio-system' ? [] : ['-i', istioNamespace]
  const layouts = minor >= 30 ? [['-o', 'json'], ['-v', '1'], []] : minor >= 27 ? [['-v', '1'], []] : [[]]
  let failure: Classified | null = null
  for (const layout of layouts) {
    const command = istioctl('proxy-status', ...layout, ...flag, ...where)
    const result = await ask(io, tools, command)
    const answer = answerOf(result, command)
    if (answer.status) return answer
    failure ??= answer.failure
    // Another layout only helps where this one is not known or not understood.
    if (answer.failure?.reason !== 'unsupported' && answer.failure?.reason !== 'unreadable') break
  }
  return { status: null, failure }
}

function answerOf(result: CommandResult, command: Command): Answer {
  if (result.exit.kind !== 'exited' || result.exit.code !== 0)
    return { status: null, failure: classify(result, command) }
  try {
    return { status: proxyStatus.parse(result.stdout), failure: null }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    // Errors that come with exit code 0 are known by their text.
    const { reason, detail, unlock } = classify(result, command)
    return {
      status: null,
      failure:
        reason === 'unreadable'
          ? { reason, detail: `could not read what it printed: ${error.message}` }
          : { reason, detail, ...(unlock ? { unlock } : {}) },
    }
  }
}

function merged(statuses: readonly ProxyStatus[]): ProxyStatus {
  const proxies = new Map(
    statuses.flatMap(({ proxies: own }) => own).map((proxy) => [`${proxy.proxy} ${proxy.cluster}`, proxy]),
  )
  return {
    statesShown: statuses.length > 0 && statuses.every(({ statesShown }) => statesShown),
    proxies: [...proxies.values()],
    logLines: statuses.flatMap(({ logLines }) => logLines),
  }
}

/** The image's tag is what runs; labels are what a chart wrote. */
function versionOf({ metadata, spec }: KubeObject): readonly (readonly [string, string])[] {
  const images: readonly { image?: string; name?: string }[] = spec?.containers ?? []
  const image = images.find(({ name }) => name === 'discovery')?.image ?? images[0]?.image
  const tag = /:v?(\d+\.\d+[\w.-]*?)(?:-distroless|-debug)?(?:@.*)?$/.exec(image ?? '')?.[1]
  return tag ? [[metadata.name, tag]] : []
}

/** Pods that run a proxy of the revision: those that some istiod should know. */
function expectedOf(pods: readonly KubeObject[], revision: string | null): readonly string[] {
  return pods
    .map((object) => viewPod({ object, entry: '' }))
    .filter((pod) => (pod.hasEnvoy || pod.proxy === 'ztunnel') && pod.phase === 'Running' && !pod.terminating)
    .filter((pod) => revision === null || pod.revision === null || pod.revision === revision)
    .map((pod) => `${pod.name}.${pod.namespace}`)
}

function istioctl(...args: readonly string[]): Command {
  return { file: 'istioctl', args, timeoutMs: 60_000 }
}
