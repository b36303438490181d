import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import currentContextParser from '../../parsers/current-context.ts'
import istioctlVersionParser from '../../parsers/istioctl-version.ts'
import kubeListParser from '../../parsers/kube-list.ts'
import kubeVersionParser from '../../parsers/kube-version.ts'
import { classify } from '../engine/classify.ts'
import { accessLogSetting } from '../mesh/access-log-setting.ts'
import { readMeshConfig } from '../mesh/mesh-config.ts'
import type { Command, CommandResult, Runner } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import { type DataPlane, type DoctorReport, skewOf, type ToolCheck, type Unlearned } from '../report/doctor.ts'
import { askPermissions, type DoctorQuestion } from './doctor-permissions.ts'
import type { Environment } from './settings.ts'

const command = (file: 'kubectl' | 'istioctl', ...args: readonly string[]): Command => ({
  file,
  args,
  timeoutMs: 15_000,
})

/** Asks everything side by side; the runner decides how much of that at once. */
export async function examine(
  run: Runner,
  env: Environment,
  question: DoctorQuestion,
  signal: AbortSignal,
): Promise<DoctorReport> {
  const { istioNamespace, revision } = question
  const map = revision && revision !== 'default' ? `istio-${revision}` : 'istio'
  const ask = <T>(one: Command, read: (result: CommandResult) => T) => answer(run, one, read, signal)
  const [kube, istio, context, namespaces, istiod, config, telemetries, ztunnels] = await Promise.all([
    versions(run, signal),
    ask(command('istioctl', 'version', '--remote=false', '-o', 'json'), ({ stdout }) =>
      istioctlVersionParser.parse(stdout),
    ),
    ask(command('kubectl', 'config', 'current-context'), ({ stdout }) => currentContextParser.parse(stdout).context),
    ask(command('kubectl', 'get', 'namespaces', '-o', 'json'), readList),
    ask(command('kubectl', 'get', 'pods', '-n', istioNamespace, '-l', 'app=istiod', '-o', 'json'), readList),
    ask(command('kubectl', 'get', 'configmap', map, '-n', istioNamespace, '-o', 'json'), (result) =>
      readConfig(result, istioNamespace),
    ),
    ask(command('kubectl', 'get', 'telemetries.telemetry.istio.io', '-A', '-o', 'json'), readList),
    ask(command('kubectl', 'get', 'pods', '-n', istioNamespace, '-l', 'app=ztunnel', '-o', 'json'), readList),
  ])
  const istioctl: ToolCheck = {
    name: 'istioctl',
    version: istio.data?.client ?? null,
    missing: istio.missing,
    lost: 'what proxies really have (proxy-config), sync states (proxy-status) and analyze: objects and logs are all there is',
  }
  const istiods = [...new Set((istiod.data ?? []).flatMap(imageVersion))]
  const missing = kube.cluster
  return {
    kind: 'DoctorReport',
    schemaVersion: '1.0',
    tools: [kube.tool, istioctl],
    cluster: {
      context: question.context ?? context.data ?? null,
      kubernetesVersion: kube.server,
      istiods,
      missing,
    },
    skew: skewOf(istioctl.version, istiods),
    dataPlane: dataPlaneOf(namespaces, ztunnels),
    accessLog:
      config.data === null
        ? (config.missing ?? unknown)
        : telemetries.data === null && telemetries.missing?.reason !== 'unsupported'
          ? (telemetries.missing ?? unknown)
          : accessLogSetting(config.data, telemetries.data ?? []),
    permissions: missing === null ? await askPermissions(run, question, signal) : [],
    environment: environmentOf(env),
  }
}

const unknown: Unlearned = { reason: 'other', detail: 'it was not asked', unlock: null }

interface Answer<T> {
  readonly data: T | null
  readonly missing: Unlearned | null
}

async function answer<T>(
  run: Runner,
  one: Command,
  read: (result: CommandResult) => T,
  signal: AbortSignal,
): Promise<Answer<T>> {
  const result = await run(one, AbortSignal.any([signal]))
  if (result.exit.kind === 'exited' && result.exit.code === 0) {
    try {
      return { data: read(result), missing: null }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error
      return { data: null, missing: { reason: 'unreadable', detail: error.message, unlock: null } }
    }
  }
  const { reason, detail, unlock } = classify(result, one)
  return { data: null, missing: { reason, detail, unlock: unlock ?? null } }
}

/** `kubectl version` tells the client's version even where the server does not answer, with exit code 1. */
async function versions(run: Runner, signal: AbortSignal) {
  const one = command('kubectl', 'version', '-o', 'json')
  const result = await run(one, signal)
  const lost = 'everything live'
  const read = (): { client: string | null; server: string | null } => {
    try {
      const { client, server } = kubeVersionParser.parse(result.stdout)
      return { client: client?.version ?? null, server: server?.version ?? null }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error
      return { client: null, server: null }
    }
  }
  const { client, server } = read()
  const { reason, detail, unlock } = classify(result, one)
  const missing: Unlearned = { reason, detail, unlock: unlock ?? null }
  const tool: ToolCheck = { name: 'kubectl', version: client, missing: client === null ? missing : null, lost }
  return { tool, server, cluster: server === null ? missing : null }
}

function readList({ stdout }: CommandResult): readonly KubeObject[] {
  return kubeListParser.parse(stdout).items
}

function readConfig(result: CommandResult, istioNamespace: string) {
  const mesh: unknown = readList(result)[0]?.data?.mesh
  if (typeof mesh !== 'string') throw new ParseError('the ConfigMap has no data.mesh')
  try {
    return readMeshConfig(parseYaml(mesh), istioNamespace)
  } catch {
    throw new ParseError('data.mesh of the ConfigMap is no YAML')
  }
}

/** `docker.io/istio/pilot:1.30.3-distroless`. */
function imageVersion({ spec }: KubeObject): string[] {
  const containers: readonly { name?: string; image?: string }[] = spec?.containers ?? []
  const image = containers.find(({ name }) => name === 'discovery')?.image ?? ''
  const tag = /:(\d+\.\d+[\w.-]*?)(?:-(?:distroless|debug))?(?:@|$)/.exec(image)?.[1]
  return tag === undefined ? [] : [tag]
}

function dataPlaneOf(
  namespaces: Answer<readonly KubeObject[]>,
  ztunnels: Answer<readonly KubeObject[]>,
): DataPlane | Unlearned {
  if (namespaces.data === null) return namespaces.missing ?? unknown
  const labelled = (holds: (labels: Readonly<Record<string, string>>) => boolean) =>
    (namespaces.data ?? []).filter(({ metadata }) => holds(metadata.labels ?? {})).map(({ metadata }) => metadata.name)
  const ambientNamespaces = labelled((labels) => labels['istio.io/dataplane-mode'] === 'ambient')
  const sidecarNamespaces = labelled(
    (labels) =>
      labels['istio-injection'] === 'enabled' ||
      (labels['istio.io/rev'] !== undefined &&
        labels['istio-injection'] !== 'disabled' &&
        labels['istio.io/dataplane-mode'] !== 'ambient'),
  )
  const count = ztunnels.data?.length ?? 0
  const hasAmbient = ambientNamespaces.length > 0
  const mode = hasAmbient
    ? sidecarNamespaces.length > 0
      ? 'mixed'
      : 'ambient'
    : sidecarNamespaces.length > 0
      ? 'sidecar'
      : 'none'
  return { mode, sidecarNamespaces, ambientNamespaces, ztunnels: count }
}

function environmentOf(env: Environment): DoctorReport['environment'] {
  const found: { name: string; value: string; effect: string }[] = []
  for (const [name, value] of Object.entries(env).sort())
    if (value && /^ISTIOCTL_|^ISTIOCONFIG$/.test(name))
      found.push({ name, value, effect: 'changes what istioctl does when you call it; walks run without it' })
  const file = env.ISTIOCONFIG ? null : join(env.HOME || homedir(), '.istioctl', 'config.yaml')
  if (file !== null && existsSync(file))
    found.push({ name: 'ISTIOCONFIG', value: file, effect: 'istioctl reads its flags from this file, in walks too' })
  if (env.KUBECONFIG)
    found.push({ name: 'KUBECONFIG', value: env.KUBECONFIG, effect: 'which clusters are known; walks use it' })
  return found
}
