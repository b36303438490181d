import analyzeParser from '../../parsers/analyze.ts'
import versionParser from '../../parsers/istioctl-version.ts'
import { readSource } from '../../parsers/lib/proxy-config-json.ts'
import { readClusters } from '../../parsers/proxy-config-cluster.ts'
import endpointParser from '../../parsers/proxy-config-endpoint.ts'
import { readListeners } from '../../parsers/proxy-config-listener.ts'
import { readRoutes } from '../../parsers/proxy-config-route.ts'
import { readSecrets } from '../../parsers/proxy-config-secret.ts'
import proxyStatusParser from '../../parsers/proxy-status.ts'
import type { CommandResult } from '../model/command.ts'
import { type ConfigDump, proxyConfigJson, readConfigDump } from '../model/config-dump.ts'
import { ParseError } from '../model/errors.ts'
import type { Role } from '../model/evidence.ts'
import type { Layer } from '../model/layer.ts'
import type { ProbePlan } from '../model/probe.ts'
import { ipOf } from '../situation/hints.ts'
import { type KubeRead, resourceFor } from '../situation/objects.ts'
import type { PodView } from '../situation/pods.ts'
import type { Situation } from '../situation/situation.ts'
import {
  addressesAreKnown,
  ask,
  callerIsKnown,
  count,
  defineProbe,
  destinationIsKnown,
  endsAreKnown,
  endTellers,
  istioctl,
  meshTarget,
  namespacesOfServer,
  namespaceTarget,
  nothing,
  planForEnvoys,
  podsToAsk,
  waitFor,
  waitForEnd,
} from './define.ts'

export const clientVersion = defineProbe({
  name: 'clientVersion',
  isOptional: true,
  roles: ['mesh'],
  title: 'version of istioctl',
  layer: 'upgrade',
  needsExec: false,
  plan: () => ask(meshTarget(istioctl('version', '--remote=false', '-o', 'json'))),
  read: ({ stdout }) => versionParser.parse(stdout),
  learned: ({ client }) => `istioctl ${client ?? 'of unknown version'}`,
})

export const version = defineProbe({
  name: 'version',
  isOptional: true,
  roles: ['mesh'],
  title: 'versions of control plane and data plane',
  layer: 'upgrade',
  needsExec: true,
  plan(situation) {
    const minor = situation.istioctlMinor
    if (!minor && !situation.isSettled('mesh.clientVersion')) return waitFor('the version of istioctl')
    return ask(meshTarget(istioctl('version', '-o', 'json', ...revisionFlag(situation))))
  },
  read: ({ stdout }) => versionParser.parse(stdout),
  learned: ({ controlPlane, dataPlane }) =>
    controlPlane === null
      ? 'the control plane did not answer'
      : `control plane ${controlPlane.map((one) => one.version).join(', ')}; data plane ${dataPlane?.map((one) => `${one.version} (${one.proxies})`).join(', ') ?? 'unknown'}`,
})

/**
 * From 1.28 on istioctl looks for the default revision by watching webhooks, and never ends where that is forbidden or the
 * API server is away. Naming the revision avoids it.
 */
function revisionFlag(situation: Situation): readonly string[] {
  const named = situation.given.revision
  if (named) return ['--revision', named]
  const minor = situation.istioctlMinor
  if (minor && minor.major === 1 && minor.minor < 28) return []
  const revisions = [
    ...new Set(
      [...situation.server.pods, ...situation.client.pods].flatMap(({ revision }) => (revision ? [revision] : [])),
    ),
  ]
  return ['--revision', revisions[0] ?? 'default']
}

export const analyze = defineProbe({
  name: 'analyze',
  roles: ['client', 'server', 'gateway'],
  title: 'istioctl analyze',
  layer: 'control-plane',
  needsExec: false,
  plan(situation, role) {
    const { clientNamespace, serverNamespace } = situation
    const isKnown = role === 'server' ? destinationIsKnown(situation) : callerIsKnown(situation)
    if (!addressesAreKnown(situation) || !isKnown)
      return waitFor('the namespaces of both ends', ...endTellers(situation))
    if (role === 'client') {
      if (!endsAreKnown(situation, role)) return waitForEnd(situation, role)
      if (hasNothingToAnalyze(situation)) return nothing
    }
    const names =
      role === 'server'
        ? namespacesOfServer(situation)
        : role === 'client'
          ? [clientNamespace === serverNamespace ? null : clientNamespace]
          : [...new Set(situation.gateway?.pods.map(({ namespace }) => namespace) ?? [])].filter(
              (name) => name !== serverNamespace,
            )
    if (role === 'gateway' && !situation.isSettled('gateway.pods')) return waitFor("the gateway's pods")
    const targets = names.flatMap((name) =>
      name === null
        ? []
        : [namespaceTarget(name, { ...istioctl('analyze', '-n', name, '-o', 'json'), timeoutMs: 25_000 })],
    )
    if (targets.length === 0) return nothing
    const closed = refusedToAnalyze(situation, role)
    if (closed !== null) return closed
    const isRead = situation.isSettled('mesh.config') && situation.isSettled('server.config')
    return isRead ? ask(...targets) : { plan: 'wait', for: 'what may be listed', otherwise: targets }
  },
  isAnswer: ({ exit }) => exit.kind === 'exited' && (exit.code === 0 || exit.code === 79),
  read: ({ stdout }) => analyzeParser.parse(stdout),
  learned: (data) => {
    const levels = ['Error', 'Warning'].map((level) => data.filter((finding) => finding.level === level).length)
    return data.length === 0
      ? 'no finding'
      : `${count(levels[0] ?? 0, 'error')}, ${count(levels[1] ?? 0, 'warning')}, ${data.length - (levels[0] ?? 0) - (levels[1] ?? 0)} other`
  },
})

const analyzed = [
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'Sidecar',
  'Gateway',
  'EnvoyFilter',
  'Telemetry',
  'WasmPlugin',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'PeerAuthentication',
  'K8sGateway',
  'HTTPRoute',
  'GRPCRoute',
]

/** The API server's word. An archive that lacks a kind holds what analyze printed all the same. */
const isForbidden = (detail: string) => /forbidden/i.test(detail)

/** Its informers list these in all namespaces, and it never ends where one of them may not be listed. */
function refusedToAnalyze({ entries }: Situation, role: Role): ProbePlan | null {
  const kinds = new Set(['Pod', 'Service', 'Deployment', ...analyzed].map(resourceFor))
  // What is there by then whatever else runs, so that every walk says the same.
  const keys = [...new Set([`${role}.config`, 'server.config', 'mesh.config'])].slice(role === 'gateway' ? 1 : 0)
  for (const entry of keys.flatMap((key) => entries.filter((one) => one.key === key))) {
    const asked = entry.command.args[entry.command.args.indexOf('get') + 1]?.split(',') ?? []
    const refused =
      entry.status === 'ok'
        ? (entry.data as KubeRead).unreadable // made by this probe
            .filter(({ detail }) => isForbidden(detail))
            .map(({ resource }) => resource)
        : entry.reason === 'forbidden' && isForbidden(entry.detail ?? '')
          ? asked
          : []
    const kind = refused.find((resource) => kinds.has(resource))
    if (kind === undefined) continue
    return {
      plan: 'missing',
      reason: 'forbidden',
      detail: `not asked: istioctl analyze lists ${kind}, which may not be listed in ${entry.namespace}, and would wait for ever`,
      unlock: `kubectl auth can-i list ${kind} -A`,
    }
  }
  return null
}

/** A caller's namespace without an object of the mesh, whose pods all have their proxy: the analyzer reads nothing else there. */
function hasNothingToAnalyze({ client, clientNamespace, store, symptom }: Situation): boolean {
  if (clientNamespace === null || symptom === 'not-injected' || client.pods.length === 0) return false
  return (
    client.pods.every(({ proxy }) => proxy !== 'none') &&
    store.readable('Pod', clientNamespace) === 'yes' &&
    analyzed.every(
      (kind) => store.readable(kind, clientNamespace) !== 'no' && store.list(kind, clientNamespace).length === 0,
    )
  )
}

/** The default table has had no states since 1.27: `-v 1` shows them, `-o json` from 1.30. */
export const proxyStatus = defineProbe({
  name: 'proxyStatus',
  roles: ['mesh'],
  title: 'sync state of the proxies',
  layer: 'control-plane-xds',
  needsExec: true,
  plan(situation) {
    const known = situation.isSettled('mesh.clientVersion')
    // The caller's revision is asked for only where the destination has none.
    const isServerEnough = situation.server.pods.some(({ revision }) => revision !== null)
    const podsKnown = situation.isSettled('server.config') && (isServerEnough || situation.isSettled('client.config'))
    const minor = situation.istioctlMinor?.minor ?? 30
    const layout = minor >= 30 ? ['-o', 'json'] : minor >= 27 ? ['-v', '1'] : []
    const target = meshTarget(istioctl('proxy-status', ...layout, ...revisionFlag(situation)))
    if (!known || !podsKnown)
      return { plan: 'wait', for: 'the version of istioctl and the revision of the proxies', otherwise: [target] }
    return ask(target)
  },
  read: ({ stdout }) => proxyStatusParser.parse(stdout),
  learned: ({ proxies, statesShown }) => {
    if (!statesShown) return `${count(proxies.length, 'proxy', 'proxies')} connected; this istioctl shows no states`
    const bad = proxies.filter(({ types }) =>
      Object.values(types).some(({ state }) => state === 'STALE' || state === 'ERROR'),
    )
    return bad.length === 0
      ? `${count(proxies.length, 'proxy', 'proxies')}, none stale or rejecting`
      : bad.map(({ proxy, types }) => `${proxy}: ${badTypes(types)}`).join('; ')
  },
})

function badTypes(types: Readonly<Record<string, { readonly state: string }>>): string {
  return Object.entries(types)
    .filter(([, { state }]) => state === 'STALE' || state === 'ERROR')
    .map(([type, { state }]) => `${type} ${state}`)
    .join(', ')
}

/** `istioctl proxy-config KIND POD.NS -o json`, of the pod that is asked first. */
function proxyConfig<T extends readonly unknown[]>(
  name: string,
  kind: string,
  layer: Layer,
  title: string,
  read: (source: unknown) => T,
  what: string,
  many = `${what}s`,
) {
  const isPartOfDump = kind !== 'endpoint'
  return defineProbe<T>({
    name,
    roles: ['client', 'server', 'gateway', 'waypoint'],
    title,
    layer,
    needsExec: true,
    plan(situation, role) {
      const ofKind = (asked: string, pod: PodView) =>
        istioctl('proxy-config', asked, `${pod.name}.${pod.namespace}`, '-o', 'json')
      const most = role === 'gateway' ? 2 : 1
      const plan = planForEnvoys(situation, role, most, (pod) => ofKind(isPartOfDump ? 'all' : kind, pod))
      if (plan.plan !== 'ask' || !isPartOfDump) return plan
      const pods = podsToAsk(situation, role, most)
      return ask(
        ...plan.targets.map((target) => {
          const pod = pods.find((one) => one.name === target.name && one.namespace === target.namespace)
          return { ...target, isShared: true as const, ...(pod && { instead: ofKind(kind, pod) }) }
        }),
      )
    },
    read: (result, { command }) => read(command.args.includes('all') ? partOfDump(result, kind) : result.stdout),
    learned: (data) => count(data.length, what, many),
  })
}

const dumps = new WeakMap<CommandResult, ConfigDump | null>()

/** One dump is read by several probes, and may be large: it is parsed once. */
function partOfDump(result: CommandResult, kind: string): unknown {
  const known = dumps.get(result)
  const dump = known === undefined ? (readConfigDump(readSource(result.stdout)) ?? null) : known
  dumps.set(result, dump)
  const part = dump === null ? undefined : proxyConfigJson(dump, kind)
  if (part === undefined) throw new ParseError(`a dump with ${kind}s was expected`)
  return part
}

export const listeners = proxyConfig(
  'listeners',
  'listener',
  'client-sidecar-listener',
  'listeners of the proxy',
  readListeners,
  'listener',
)
export const routes = proxyConfig(
  'routes',
  'route',
  'client-sidecar-routing',
  'routes of the proxy',
  readRoutes,
  'route configuration',
)
export const clusters = proxyConfig(
  'clusters',
  'cluster',
  'client-sidecar-cluster',
  'clusters of the proxy',
  readClusters,
  'cluster',
)
export const endpoints = proxyConfig(
  'endpoints',
  'endpoint',
  'kubernetes-endpoints',
  'endpoints of the proxy',
  (source) => endpointParser.parse(source as string), // never a part of a dump
  'cluster with endpoints',
  'clusters with endpoints',
)
/**
 * Endpoints as istiod sent them: only these say which cluster an address belongs to. Asked where a line of this call waits in vain
 * for an address that no pod we know has; any other walk runs nothing.
 */
export const eds = defineProbe({
  name: 'eds',
  isOptional: true,
  roles: ['client', 'gateway'],
  title: 'whose the endpoints are',
  layer: 'multicluster',
  needsExec: true,
  plan(situation, role) {
    const log = role === 'gateway' ? 'gateway.accessLog' : 'client.accessLog'
    if (!situation.isSettled(log)) return waitFor('the lines of this call', log)
    return waitsForStranger(situation, role)
      ? planForEnvoys(situation, role, 1, (pod) =>
          istioctl('proxy-config', 'eds', `${pod.name}.${pod.namespace}`, '-o', 'json'),
        )
      : nothing
  },
  read: ({ stdout }) => endpointParser.parse(stdout),
  learned: (data) => count(data.length, 'cluster with endpoints', 'clusters with endpoints'),
})

function waitsForStranger({ failing, podByIp, server }: Situation, role: Role): boolean {
  if (server.external) return false
  return failing.some((exchange) => {
    const record = (role === 'gateway' ? exchange.gateway : exchange.client)?.record
    const address = ipOf(record?.upstreamHost ?? null)
    return record?.flags.includes('UF') === true && address !== null && podByIp(address) === null
  })
}

export const secrets = proxyConfig(
  'secrets',
  'secret',
  'control-plane-ca',
  'certificates of the proxy',
  readSecrets,
  'secret',
)
