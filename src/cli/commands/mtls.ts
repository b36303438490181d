import { Option } from 'commander'
import { parseAccessLog } from '../../../parsers/access-log.ts'
import { compileAccessLogFormat } from '../../../parsers/access-log-format.ts'
import { classify } from '../../engine/classify.ts'
import { effectiveMtls, type MtlsWorld } from '../../mesh/effective-mtls.ts'
import { defaultMeshConfig, type MeshConfig } from '../../mesh/mesh-config.ts'
import { type StrictQuestion, type StrictScope, strictReadiness } from '../../mesh/strict-readiness.ts'
import { classifyPod, hasEnvoy } from '../../mesh/workload.ts'
import type { Given } from '../../model/call.ts'
import { UserError } from '../../model/errors.ts'
import type { KubeObject } from '../../model/kube.ts'
import { documentJson } from '../../report/document-json.ts'
import { type MtlsReport, mtlsSummary, mtlsText, pairText, readinessView } from '../../report/mtls-table.ts'
import type { NotRead } from '../../report/not-read.ts'
import { matchesLabels, podLabel, viewPod } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { linkBetween } from '../call-chain.ts'
import { callOf } from '../call-flags.ts'
import {
  collectSituation,
  failFor,
  type LookingTools,
  lookingTools,
  notReadOf,
  refuseNothing,
} from '../collect-situation.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import { situationOver } from '../offline-situation.ts'
import { pageOptions } from '../page-options.ts'
import type { CliCommand } from '../program.ts'
import { ask, kubectl, readCluster } from '../read-cluster.ts'
import { redactStrings } from '../redact-strings.ts'
import { readDuration, readSettings, type Settings } from '../settings.ts'
import { addClusterOptions, type ClusterFlags, colorOption } from '../shared-options.ts'

interface MtlsFlags extends ClusterFlags {
  readonly from?: string
  readonly to?: string
  readonly allNamespaces?: boolean
  readonly strictReadiness?: boolean
  readonly logs: boolean
  readonly since?: string
  readonly output?: 'text' | 'json'
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage mtls svc/ledger.pay
  meshtriage mtls --from deploy/web.shop --to svc/ledger.pay:8080
  meshtriage mtls -n pay --strict-readiness
  meshtriage mtls -A -o json | jq -r '.readiness.breaks[].subject'

Who would break is told from configuration and from the access logs of the destinations: a line without a server name
was plaintext. A caller that did not call while the log was kept is not in it.

Exit codes: 0 told; with --strict-readiness 0 nobody would break, 79 somebody would, 80 not settled.
            For a pair: 0 fits, 79 fails, 80 cannot be decided.
            64 wrong use, 69 no tool or cluster, 77 no permission
`

const mtls: CliCommand = {
  name: 'mtls',
  register(program, io, done) {
    const command = program
      .command('mtls')
      .description('which mTLS mode holds on each port and why, what callers send, and who would break under STRICT')
      .argument(
        '[target]',
        'workload or service: deploy/ledger.pay, svc/ledger.pay; left out: the namespace or the mesh',
      )
      .option('--from <target>', 'with --to: one end of a pair, the caller')
      .option('--to <target>', 'with --from: the other end of the pair')
      .option('-A, --all-namespaces', 'the whole mesh')
      .option('--strict-readiness', 'make the exit code tell whether somebody would break under STRICT')
      .option('--no-logs', 'judge configuration only, read no access log')
      .option('--since <duration>', 'only log lines this young, as kubectl logs --since')
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']))
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (target: string | undefined, flags: MtlsFlags) => {
      done(await run(io, target, flags))
    })
  },
}
export default mtls

async function run(io: Io, target: string | undefined, flags: MtlsFlags): Promise<number> {
  const settings = readSettings(io.cwd, io.env)
  if ((flags.from === undefined) !== (flags.to === undefined))
    throw new UserError('--from and --to go together', 'for one workload write: meshtriage mtls svc/ledger.pay')
  if (target !== undefined && flags.to !== undefined)
    throw new UserError(`"${target}" and --from/--to are two questions`, 'ask one of them')
  if (flags.allNamespaces && (target !== undefined || flags.to !== undefined || flags.namespace !== undefined))
    throw new UserError('-A asks for everything, so it takes no target and no -n')
  if (flags.since !== undefined) readDuration(flags.since, '--since')
  const tools = lookingTools(io, settings, flags)
  return flags.to === undefined ? overview(io, tools, target, flags, settings) : pair(io, tools, flags, settings)
}

async function pair(io: Io, tools: LookingTools, flags: MtlsFlags, settings: Settings): Promise<number> {
  const given = callOf(flags, settings)
  const { situation, entries } = await collectSituation(io, tools, {
    given,
    keys: ['mesh.apiResources', 'mesh.namespaces', 'mesh.meshConfig', 'mesh.config', 'client.config', 'server.config'],
  })
  if (io.interrupt.aborted) return exitCodes.interrupted
  refuseNothing(entries)
  const { client, server } = situation
  const from = client.label ?? given.from?.text ?? 'the caller'
  const to =
    server.label === null
      ? (given.to?.text ?? '')
      : `${server.label}${server.portNumber === null ? '' : `:${server.portNumber}`}`
  const link = linkBetween(situation)
  const words = { ok: 'fits', broken: 'fails', open: 'cannot be decided' }[link.state]
  const report = redactStrings(
    {
      kind: 'MtlsPair' as const,
      schemaVersion: '1.0' as const,
      from,
      to,
      link,
      summary: `${from} → ${to} ${words}: ${link.why}`,
      assumptions: situation.assumptions,
      notRead: notReadOf(entries),
    },
    tools.redact,
  )
  const options = pageOptions(io, flags.color ?? settings.color)
  await print(io.stdout, flags.output === 'json' ? documentJson(report) : pairText(report, options))
  return { ok: exitCodes.clean, broken: exitCodes.found, open: exitCodes.inconclusive }[link.state]
}

const resources = [
  'pods',
  'services',
  'peerauthentications.security.istio.io',
  'destinationrules.networking.istio.io',
] as const

async function overview(
  io: Io,
  tools: LookingTools,
  target: string | undefined,
  flags: MtlsFlags,
  settings: Settings,
): Promise<number> {
  const { from: _from, to: _to, ...rest } = flags
  const given = callOf(target === undefined ? rest : { ...rest, to: target }, settings)
  const namespace = flags.allNamespaces
    ? null
    : (given.to?.namespace ?? given.namespace ?? (given.to ? 'default' : null))
  // Callers live anywhere, so all namespaces are asked for; a person with fewer rights gets what they may see.
  const fallback = [...new Set([namespace, given.istioNamespace].filter((name) => name !== null))]
  const [read, settled] = await Promise.all([
    readCluster(io, tools, { resources, namespaces: null, fallback }),
    collectSituation(io, tools, { given, keys: ['mesh.meshConfig'] }),
  ])
  if (io.interrupt.aborted) return exitCodes.interrupted
  failFor(read.failures)
  const mesh = settled.situation.meshEntry === null ? null : settled.situation.mesh
  const situation = situationOver(read.reads, mesh, given, io.now().toISOString())
  const scope = scopeOf(situation, given, namespace)
  const notRead: NotRead[] = [...read.notRead, ...notReadOf(settled.entries)]
  const world: MtlsWorld = {
    pods: situation.store.objects('Pod'),
    services: situation.store.objects('Service'),
    policies: situation.store.objects('PeerAuthentication'),
    rules: situation.store.objects('DestinationRule'),
    mesh: mesh ?? { ...defaultMeshConfig, rootNamespace: given.istioNamespace },
    policiesRead: (name) => situation.store.readable('PeerAuthentication', name) === 'yes',
  }
  const workloads = effectiveMtls(world, labelOfPod, (pod) => scope.holds(pod))
  const open = workloads.some(({ ports }) => ports.some(({ accepts }) => accepts.mode !== 'STRICT'))
  const isReady = flags.strictReadiness === true || open
  const logs =
    isReady && flags.logs ? await readLogs(io, tools, world, scope, flags.since ?? settings.since, notRead) : []
  if (io.interrupt.aborted) return exitCodes.interrupted
  const readiness =
    isReady && workloads.length > 0
      ? readinessView(strictReadiness(question(world, scope, logs)), subjectLabels(world))
      : null
  const report: MtlsReport = redactStrings<MtlsReport>(
    {
      kind: 'MtlsReport',
      schemaVersion: '1.0',
      scope: scope.words,
      detailed: target !== undefined,
      summary:
        workloads.length === 0
          ? `Nothing to tell: ${scope.words} has no running pod that could be read${orNamespace(situation, given)}`
          : mtlsSummary(scope.words, workloads, readiness),
      workloads,
      readiness,
      assumptions: target === undefined ? [] : situation.assumptions.filter((text) => !text.startsWith('destination:')),
      notRead,
    },
    tools.redact,
  )
  const options = pageOptions(io, flags.color ?? settings.color)
  await print(io.stdout, flags.output === 'json' ? documentJson(compact(report)) : mtlsText(report, options))
  if (workloads.length === 0) return exitCodes.inconclusive
  if (flags.strictReadiness && readiness)
    return readiness.ready === true
      ? exitCodes.clean
      : readiness.ready === false
        ? exitCodes.found
        : exitCodes.inconclusive
  return workloads.every(({ ports }) => ports.every(({ known }) => known)) ? exitCodes.clean : exitCodes.inconclusive
}

/** Nothing is called so, and a namespace is: whoever typed it may have meant that one. */
function orNamespace({ pods }: Situation, { to }: Given): string {
  return to && to.kind === null && pods.some(({ namespace }) => namespace === to.name)
    ? `; ${to.name} is a namespace: meshtriage mtls -n ${to.name}`
    : ''
}

interface Scope {
  readonly words: string
  readonly strict: StrictScope
  readonly holds: (pod: KubeObject) => boolean
}

function scopeOf(situation: Situation, given: Given, namespace: string | null): Scope {
  if (given.to === null) {
    if (namespace === null) return { words: 'the mesh', strict: { kind: 'mesh' }, holds: () => true }
    return {
      words: `namespace ${namespace}`,
      strict: { kind: 'namespace', namespace },
      holds: (pod) => pod.metadata.namespace === namespace,
    }
  }
  const { server } = situation
  const where = server.namespace ?? namespace ?? 'default'
  const names = new Set(server.pods.map((pod) => pod.name))
  const selector: Readonly<Record<string, string>> | undefined =
    given.to.kind === 'svc' || given.to.kind === null ? server.service?.object.spec?.selector : undefined
  const labels = selector ?? stableLabels(server.pods[0]?.labels ?? {})
  return {
    words: server.label ?? given.to.text,
    strict: { kind: 'workload', namespace: where, labels },
    holds: (pod) =>
      pod.metadata.namespace === where &&
      (names.has(pod.metadata.name) || (selector !== undefined && matchesLabels(selector, pod.metadata.labels ?? {}))),
  }
}

/** Labels that name the workload, and not one generation of its pods. */
function stableLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) =>
        !/^(pod-template-hash|controller-revision-hash|pod-template-generation|statefulset\.kubernetes\.io\/|apps\.kubernetes\.io\/|security\.istio\.io\/|service\.istio\.io\/)/.test(
          key,
        ),
    ),
  )
}

const mostLogs = 20

interface PodLog {
  readonly pod: string
  readonly records: ReturnType<typeof parseAccessLog>['records']
}

/** Access logs of the destinations: the only place where plaintext that really arrived is to be seen. */
async function readLogs(
  io: Io,
  tools: LookingTools,
  world: MtlsWorld,
  scope: Scope,
  since: string | undefined,
  notRead: NotRead[],
): Promise<readonly PodLog[]> {
  const servers = world.pods.filter((pod) => {
    const { proxy } = classifyPod(pod).workload
    return (
      scope.holds(pod) &&
      (proxy === 'sidecar' || proxy === 'native-sidecar') &&
      hasEnvoy(proxy) &&
      pod.status?.phase === 'Running'
    )
  })
  if (servers.length > mostLogs)
    notRead.push({
      what: `access logs of ${servers.length - mostLogs} of ${servers.length} pods`,
      reason: `only the first ${mostLogs} are read`,
      unlock: 'ask for one workload: meshtriage mtls deploy/NAME.NAMESPACE',
    })
  const logs = await Promise.all(
    servers.slice(0, mostLogs).map((pod) => readLog(io, tools, pod, world.mesh, since, notRead)),
  )
  return logs.flatMap((log) => (log ? [log] : []))
}

async function readLog(
  io: Io,
  tools: LookingTools,
  { metadata }: KubeObject,
  mesh: MeshConfig,
  since: string | undefined,
  notRead: NotRead[],
): Promise<PodLog | null> {
  const { name, namespace = 'default' } = metadata
  const young = since ? [`--since=${since}`] : []
  const command = kubectl('logs', name, '-n', namespace, '-c', 'istio-proxy', '--tail=5000', ...young)
  const result = await ask(io, tools, command)
  if (result.exit.kind !== 'exited' || result.exit.code !== 0) {
    const { detail, unlock } = classify(result, command)
    notRead.push({ what: `access log of ${name}.${namespace}`, reason: detail, unlock: unlock ?? null })
    return null
  }
  const format = mesh.accessLog.format === '' ? undefined : compileAccessLogFormat(mesh.accessLog.format)
  return { pod: `${namespace}/${name}`, records: parseAccessLog(result.stdout, format ? { format } : {}).records }
}

function question(world: MtlsWorld, scope: Scope, logs: readonly PodLog[]): StrictQuestion {
  return {
    scope: scope.strict,
    pods: world.pods,
    services: world.services,
    policies: world.policies,
    destinationRules: world.rules,
    logs,
    mesh: world.mesh,
  }
}

function labelOfPod(pod: KubeObject): string {
  return podLabel(viewPod({ object: pod, entry: '' }))
}

/** `shop/batch-777…` of a finding is a pod, and people know the workload. */
function subjectLabels({ pods }: MtlsWorld): (subject: string) => string {
  const labels = new Map(
    pods.map((pod) => [`${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`, labelOfPod(pod)]),
  )
  return (subject) => labels.get(subject) ?? subject
}

/** Without the pods' objects. */
function compact(report: MtlsReport): unknown {
  return {
    ...report,
    workloads: report.workloads.map(({ workload, ports }) => ({
      workload: { ...workload, pods: workload.pods.map(({ metadata }) => metadata.name) },
      ports,
    })),
  }
}
