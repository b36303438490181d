import { parse as parseYaml } from 'yaml'
import apiResourcesParser, { type ApiResource } from '../../parsers/api-resources.ts'
import contextParser from '../../parsers/current-context.ts'
import eventsParser from '../../parsers/events.ts'
import kubeListParser from '../../parsers/kube-list.ts'
import kubeVersionParser from '../../parsers/kube-version.ts'
import { readMeshConfig } from '../mesh/mesh-config.ts'
import type { CommandResult } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { EvidenceKey, Role } from '../model/evidence.ts'
import type { KubeObject } from '../model/kube.ts'
import type { ProbeTarget } from '../model/probe.ts'
import type { GatewayView } from '../situation/gateway.ts'
import { ingressesFor } from '../situation/ingresses.ts'
import type { KubeRead } from '../situation/objects.ts'
import { outsideName } from '../situation/published.ts'
import type { Situation } from '../situation/situation.ts'
import { addressOf } from '../situation/typed-addresses.ts'
import {
  addressesAreKnown,
  addressesOfLine,
  ask,
  callerIsKnown,
  count,
  defineProbe,
  destinationIsKnown,
  endTellers,
  kubectl,
  meshTarget,
  namespacesOfServer,
  namespaceTarget,
  nothing,
  waitFor,
} from './define.ts'

/** What the walk reads of a namespace, in one command. Kinds that the cluster does not serve are left out. */
const namespaceKinds = [
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'deployments.apps',
  'networkpolicies.networking.k8s.io',
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
  'wasmplugins.extensions.istio.io',
  'gateways.gateway.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'grpcroutes.gateway.networking.k8s.io',
  'referencegrants.gateway.networking.k8s.io',
]

const builtIn = new Set([
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'deployments.apps',
  'networkpolicies.networking.k8s.io',
  'ingresses.networking.k8s.io',
])

function ofThoseServed(situation: Situation, kinds: readonly string[]): readonly string[] {
  const [served] = situation.all<readonly ApiResource[]>('mesh.apiResources')
  if (!served) return kinds
  const names = new Set(served.data.map(({ name, group }) => (group === '' ? name : `${name}.${group}`)))
  return kinds.filter((kind) => builtIn.has(kind) || names.has(kind))
}

/** kubectl prints what it may and reports the rest on stderr with exit code 1: half an answer is an answer. */
function printedList(result: CommandResult): boolean {
  if (result.exit.kind !== 'exited') return false
  if (result.exit.code === 0) return true
  return result.stdout.trimStart().startsWith('{') && kubeListParser.parse(result.stdout).items.length > 0
}

function readList(result: CommandResult, args: readonly string[], namespace: string | null, partial = false): KubeRead {
  const { items, errors } = kubeListParser.parse(result.stdout)
  if (errors.length > 0) throw new ParseError(errors.join('; '))
  const asked = (args[args.indexOf('get') + 1] ?? '').split(',')
  return { namespace, asked, items: items as readonly KubeObject[], unreadable: unreadableOf(result.stderr), partial }
}

function unreadableOf(stderr: string): KubeRead['unreadable'] {
  return stderr.split('\n').flatMap((line) => {
    const denied = /cannot (?:list|get) resource "([^"]+)" in API group "([^"]*)"/.exec(line)
    if (!denied) return []
    const [, plural = '', group = ''] = denied
    return [{ resource: group === '' ? plural : `${plural}.${group}`, reason: 'forbidden', detail: line.trim() }]
  })
}

function summarise(read: KubeRead): string {
  const counts = new Map<string, number>()
  for (const { kind } of read.items) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const said = [...counts].map(([kind, number]) => count(number, kind, `${kind}s`)).join(', ')
  const gaps = read.unreadable.map(({ resource }) => resource)
  const where = read.namespace ? ` in ${read.namespace}` : ''
  return `${said || 'nothing'}${where}${gaps.length > 0 ? `; not readable: ${gaps.join(', ')}` : ''}`
}

export const apiResources = defineProbe({
  name: 'apiResources',
  isOptional: true,
  roles: ['mesh'],
  title: 'kinds the cluster serves',
  layer: 'control-plane',
  needsExec: false,
  plan: () => ask(meshTarget(kubectl('api-resources', '-o', 'name'))),
  read: ({ stdout }) => apiResourcesParser.parse(stdout),
  learned: (data) => {
    const istio = data.filter(({ group }) => group.endsWith('istio.io')).length
    return istio === 0
      ? 'the cluster serves no Istio kinds'
      : `${count(istio, 'Istio kind')}, Gateway API ${data.some(({ group }) => group === 'gateway.networking.k8s.io') ? 'yes' : 'no'}`
  },
})

export const context = defineProbe({
  name: 'context',
  isOptional: true,
  roles: ['mesh'],
  title: 'which cluster this is',
  layer: 'control-plane',
  needsExec: false,
  plan: () => ask(meshTarget(kubectl('config', 'current-context'))),
  read: ({ stdout }) => contextParser.parse(stdout),
  learned: (data) => `context ${data.context}`,
})

export const kubeVersion = defineProbe({
  name: 'kubeVersion',
  isOptional: true,
  roles: ['mesh'],
  title: 'Kubernetes version',
  layer: 'control-plane',
  needsExec: false,
  plan: () => ask(meshTarget(kubectl('version', '-o', 'json'))),
  read: ({ stdout }) => kubeVersionParser.parse(stdout),
  learned: ({ client, server }) =>
    `kubectl ${client?.version ?? 'of unknown version'}, API server ${server?.version ?? 'did not answer'}`,
})

export const namespaces = defineProbe({
  name: 'namespaces',
  roles: ['mesh', 'client', 'server'],
  title: 'labels of the namespaces on the way',
  layer: 'injection',
  needsExec: false,
  plan(situation, role) {
    if (!addressesAreKnown(situation)) return waitFor('the namespaces of both ends')
    const names = role === 'mesh' ? namedNamespaces(situation) : learnedNamespaces(situation, role)
    if (names === null) return waitFor('the namespaces of both ends', ...endTellers(situation))
    return names.length === 0 ? nothing : ask(meshTarget(kubectl('get', 'namespaces', ...names, '-o', 'json')))
  },
  // A namespace that does not exist is an answer: `ext.test` is a host then.
  isAnswer: (result) =>
    printedList(result) ||
    (result.exit.kind === 'exited' &&
      result.exit.code === 1 &&
      /NotFound/.test(result.stderr) &&
      !/Forbidden|refused/.test(result.stderr)),
  read: (result, { command }) =>
    result.stdout.trim() === ''
      ? { namespace: null, asked: ['namespaces'], items: [], unreadable: [], partial: true }
      : readList(result, command.args, null, true),
  learned: (data) =>
    data.items.map(({ metadata }) => `${metadata.name}: ${injectionLabels(metadata.labels ?? {})}`).join('; ') ||
    'no such namespace',
})

function namedNamespaces({ clientNamespace, serverNamespace, given }: Situation): readonly string[] {
  const names = [clientNamespace, serverNamespace, given.istioNamespace]
  return [...new Set(names)].filter((name): name is string => name !== null).sort()
}

/** Of an end that only a log told: the others were asked for before. */
function learnedNamespaces(situation: Situation, role: Role): readonly string[] | null {
  const isKnown = role === 'client' ? callerIsKnown(situation) : destinationIsKnown(situation)
  if (!isKnown || !asked(situation, 'mesh.namespaces')) return null
  const name = role === 'client' ? situation.clientNamespace : situation.serverNamespace
  const wasAsked = situation.entries.some(
    ({ key, command }) => key === 'mesh.namespaces' && name !== null && command.args.includes(name),
  )
  return name === null || wasAsked ? [] : [name]
}

function injectionLabels(labels: Readonly<Record<string, string>>): string {
  const said = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode', 'istio.io/use-waypoint'].flatMap((key) =>
    labels[key] === undefined ? [] : [`${key}=${labels[key]}`],
  )
  return said.join(' ') || 'no mesh label'
}

/** What gateways publish, wherever it is written: a host may be routed, or claimed twice, in any namespace. */
const publishedKinds = [
  'gateways.networking.istio.io',
  'virtualservices.networking.istio.io',
  'gateways.gateway.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'grpcroutes.gateway.networking.k8s.io',
  'ingresses.networking.k8s.io',
]

export const published = defineProbe({
  name: 'published',
  isOptional: true,
  roles: ['gateway'],
  title: 'gateways and their routes in all namespaces',
  layer: 'gateway-routing',
  needsExec: false,
  plan(situation) {
    if (!asked(situation, 'mesh.apiResources')) return waitFor('which kinds the cluster serves')
    const kinds = ofThoseServed(situation, publishedKinds).join(',')
    const question = ask(meshTarget(kubectl('get', kinds, '-A', '-o', 'json')))
    if (outsideName(situation.given, situation.hints) !== null) return question
    if (!addressesAreKnown(situation) || !asked(situation, 'server.config'))
      return waitFor('whether a gateway is on the way')
    return situation.gateway === null ? nothing : question
  },
  isAnswer: printedList,
  read: (result, { command }) => readList(result, command.args, null),
  learned: summarise,
})

/** To whom an Ingress for this host belongs: only then is there anything to ask. */
export const ingressClasses = defineProbe({
  name: 'ingressClasses',
  isOptional: true,
  roles: ['gateway'],
  title: 'classes of the Ingress for this host',
  layer: 'gateway-routing',
  needsExec: false,
  plan(situation) {
    if (!publishedIsKnown(situation)) return waitFor('the Ingress objects')
    const host = situation.gateway?.host ?? null
    const named = ingressesFor(situation.store, host).some(({ object }) => object.spec?.ingressClassName)
    return named ? ask(meshTarget(kubectl('get', 'ingressclasses.networking.k8s.io', '-o', 'json'))) : nothing
  },
  read: (result, { command }) => readList(result, command.args, null),
  learned: summarise,
})

/** Whether every route that a gateway may have is known, as far as it can be read. */
function publishedIsKnown(situation: Situation): boolean {
  return asked(situation, 'gateway.published') || (asked(situation, 'server.config') && situation.gateway === null)
}

function asked(situation: Situation, key: EvidenceKey): boolean {
  return situation.isSettled(key)
}

/** Pods, services, policies and routes of the namespaces on the call's way, one command a namespace. */
export const config = defineProbe({
  name: 'config',
  roles: ['client', 'server', 'mesh', 'gateway', 'waypoint'],
  title: 'pods, services, policies and routes',
  layer: 'kubernetes-endpoints',
  needsExec: false,
  plan(situation, role) {
    if (!asked(situation, 'mesh.apiResources')) return waitFor('which kinds the cluster serves')
    const names = namespacesOf(situation, role)
    if (names === null) return waitFor(`the ${role}'s namespace`, ...endTellers(situation))
    const kinds = ofThoseServed(situation, namespaceKinds).join(',')
    return ask(...names.map((name) => namespaceTarget(name, kubectl('get', kinds, '-n', name, '-o', 'json'))))
  },
  isAnswer: printedList,
  read: (result, { command, namespace }) => readList(result, command.args, namespace),
  learned: summarise,
})

/** Namespaces a role adds to those already read; null while it is not known yet. */
function namespacesOf(situation: Situation, role: string): readonly string[] | null {
  const { clientNamespace, serverNamespace, given } = situation
  if (!addressesAreKnown(situation)) return null
  switch (role) {
    case 'server':
      return serverNamespace !== null || destinationIsKnown(situation) ? namespacesOfServer(situation) : null
    case 'client':
      if (!callerIsKnown(situation)) return null
      // One end's namespace is read once, also when both ends live in it.
      return clientNamespace === null || clientNamespace === serverNamespace ? [] : [clientNamespace]
    case 'mesh':
      return [given.istioNamespace].filter((name) => name !== clientNamespace && name !== serverNamespace)
    case 'gateway': {
      if (!asked(situation, 'server.config') || !callerIsKnown(situation)) return null
      if (situation.gateway === null) return []
      if (!asked(situation, 'gateway.pods') && situation.gateway.selectors.length > 0) return null
      const known = new Set([clientNamespace, serverNamespace, given.istioNamespace])
      const names = [
        ...situation.gateway.pods.map(({ namespace }) => namespace),
        ...situation.gateway.named.map(({ namespace }) => namespace),
      ]
      return [...new Set(names)].filter((name) => !known.has(name)).sort()
    }
    case 'waypoint': {
      if (!asked(situation, 'server.config')) return null
      const where = situation.waypoint?.namespace
      return where === undefined || [clientNamespace, serverNamespace, given.istioNamespace].includes(where)
        ? []
        : [where]
    }
    default:
      return []
  }
}

export const gatewayPods = defineProbe({
  name: 'pods',
  roles: ['gateway', 'waypoint'],
  title: 'pods of the gateway on the way',
  layer: 'gateway-edge',
  needsExec: false,
  plan(situation, role) {
    if (!asked(situation, 'server.config')) return waitFor('the routes of the destination', ...endTellers(situation))
    if (role === 'gateway' && !callerIsKnown(situation)) return waitFor('who calls', ...endTellers(situation))
    if (role === 'waypoint') {
      const { waypoint } = situation
      if (!waypoint || waypoint.pods.length > 0 || situation.store.readable('Pod', waypoint.namespace) === 'yes')
        return nothing
      const label = `gateway.networking.k8s.io/gateway-name=${waypoint.name}`
      return ask({
        subject: `waypoint ${waypoint.namespace}/${waypoint.name}`,
        namespace: waypoint.namespace,
        name: null,
        command: kubectl('get', 'pods', '-n', waypoint.namespace, '-l', label, '-o', 'json'),
      })
    }
    const { gateway } = situation
    if (!gateway) return nothing
    if (!publishedIsKnown(situation))
      return { ...waitFor('the gateways of all namespaces'), otherwise: podsOf(gateway, []) }
    return ask(...podsOf(gateway, likelyNamespaces(situation, gateway)))
  },
  isAnswer: printedList,
  read: (result, { command, namespace }) => readList(result, command.args, namespace, true),
  learned: (data) =>
    data.items.length === 0
      ? 'no such pod'
      : data.items.map(({ metadata }) => `${metadata.name}.${metadata.namespace}`).join(', '),
})

/** Who may not list in all namespaces at once may still list where gateways usually run, and where they are named. */
function likelyNamespaces(situation: Situation, gateway: GatewayView): readonly string[] {
  if (situation.has('gateway.published')) return []
  const { clientNamespace, serverNamespace, given } = situation
  const written = [...gateway.objects.map(({ object }) => object.metadata), ...gateway.named]
  const names = [...written.map(({ namespace = 'default' }) => namespace), 'istio-ingress', given.istioNamespace]
  return [...new Set(names)].filter((name) => name !== clientNamespace && name !== serverNamespace).sort()
}

function podsOf(gateway: GatewayView, likely: readonly string[]): ProbeTarget[] {
  // Istio matches a Gateway's selector against pods of all namespaces, so the question has to be asked of all.
  const bySelector = gateway.selectors.flatMap((selector) => {
    const label = Object.entries(selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(',')
    return [
      {
        subject: `gateway pods ${label}`,
        namespace: null,
        name: null,
        command: kubectl('get', 'pods', '-A', '-l', label, '-o', 'json'),
      },
      ...likely.map((namespace) => ({
        subject: `gateway pods ${label} in ${namespace}`,
        namespace,
        name: null,
        command: kubectl('get', 'pods', '-n', namespace, '-l', label, '-o', 'json'),
      })),
    ]
  })
  const byName = gateway.objects.flatMap(({ object }) => {
    const { name, namespace = 'default' } = object.metadata
    if (!object.apiVersion.startsWith('gateway.networking.k8s.io/')) return []
    const label = `gateway.networking.k8s.io/gateway-name=${name}`
    return [
      {
        subject: `gateway ${namespace}/${name}`,
        namespace,
        name: null,
        command: kubectl('get', 'pods', '-n', namespace, '-l', label, '-o', 'json'),
      },
    ]
  })
  return [...bySelector, ...byName]
}

/** Who has the addresses that stand in a log line. */
export const podsByIp = defineProbe({
  name: 'podsByIp',
  roles: ['mesh'],
  title: 'whose addresses stand in the log line',
  layer: 'client',
  needsExec: false,
  plan(situation) {
    const { hints, given } = situation
    const pods = addressesOfLine(situation).map((ip) => ({
      subject: `address ${ip}`,
      namespace: null,
      name: null,
      command: kubectl('get', 'pods', '-A', '--field-selector', `status.podIP=${ip}`, '-o', 'json'),
    }))
    // The address a caller dials is a Service's, unless a gateway took the call.
    const isNamed = given.to !== null || hints.host !== null || situation.serverNamespace !== null
    const dialled = addressOf(situation.typed.to) ?? (isNamed ? null : hints.serviceIp)
    if (dialled === null) return ask(...pods)
    return ask(...pods, {
      subject: `service address ${dialled}`,
      namespace: null,
      name: null,
      command: kubectl('get', 'services', '-A', '--field-selector', `spec.clusterIP=${dialled}`, '-o', 'json'),
    })
  },
  isAnswer: (result) => result.exit.kind === 'exited' && result.exit.code === 0,
  read: (result, { command }) => readList(result, command.args, null, true),
  learned: (data) =>
    data.items.length === 0
      ? 'nobody in the cluster has this address'
      : data.items.map(({ metadata }) => `${metadata.name}.${metadata.namespace}`).join(', '),
})

/** Who the failing callers are, when nobody said: by the addresses in the destination's log. */
export const callers = defineProbe({
  name: 'callers',
  roles: ['mesh'],
  title: 'who the failing callers are',
  layer: 'client',
  needsExec: false,
  plan(situation) {
    const { given, gateway, hints } = situation
    if (given.from !== null || gateway !== null) return nothing
    if (!asked(situation, 'server.accessLog')) return waitFor("the destination's log", 'server.accessLog')
    const ip = hints.clientIp
    const isLookedUp = situation.all('mesh.podsByIp').some(({ subject }) => subject === `address ${ip}`)
    if (ip === null || isLookedUp || situation.podByIp(ip) !== null) return nothing
    return ask({
      subject: `address ${ip}`,
      namespace: null,
      name: null,
      command: kubectl('get', 'pods', '-A', '--field-selector', `status.podIP=${ip}`, '-o', 'json'),
    })
  },
  isAnswer: (result) => result.exit.kind === 'exited' && result.exit.code === 0,
  read: (result, { command }) => readList(result, command.args, null, true),
  learned: (data) =>
    data.items.length === 0
      ? 'no pod has this address'
      : data.items.map(({ metadata }) => `${metadata.name}.${metadata.namespace}`).join(', '),
})

export const meshConfig = defineProbe({
  name: 'meshConfig',
  roles: ['mesh'],
  title: 'mesh configuration',
  layer: 'control-plane',
  needsExec: false,
  plan({ given }) {
    const name = given.revision && given.revision !== 'default' ? `istio-${given.revision}` : 'istio'
    return ask(meshTarget(kubectl('get', 'configmap', name, '-n', given.istioNamespace, '-o', 'json')))
  },
  read(result, { command }) {
    const [map] = kubeListParser.parse(result.stdout).items
    const mesh: unknown = map?.data?.mesh
    if (typeof mesh !== 'string') throw new ParseError('the ConfigMap has no data.mesh')
    try {
      return readMeshConfig(parseYaml(mesh), command.args[command.args.indexOf('-n') + 1] ?? 'istio-system')
    } catch (error) {
      throw new ParseError(
        `data.mesh is no YAML: ${error instanceof Error ? error.message.split('\n', 1)[0] : 'unreadable'}`,
      )
    }
  },
  learned: (data) =>
    `auto mTLS ${data.enableAutoMtls ? 'on' : 'off'}, outbound ${data.outboundTrafficPolicy}, access log ${data.accessLog.file === '' ? 'not switched on here' : data.accessLog.file}`,
})

export const events = defineProbe({
  name: 'events',
  isOptional: true,
  roles: ['client', 'server'],
  title: 'recent events',
  layer: 'lifecycle',
  needsExec: false,
  plan(situation, role) {
    const { clientNamespace, serverNamespace } = situation
    const isKnown = role === 'server' ? destinationIsKnown(situation) : callerIsKnown(situation)
    if (!addressesAreKnown(situation) || !isKnown)
      return waitFor('the namespaces of both ends', ...endTellers(situation))
    const name = role === 'server' ? serverNamespace : clientNamespace === serverNamespace ? null : clientNamespace
    if (name === null) return nothing
    const target = namespaceTarget(name, kubectl('get', 'events', '-n', name, '-o', 'json'))
    if (!eventsAreExpected(situation)) {
      const keys = [`${role}.config`, 'client.accessLog', 'server.accessLog', 'gateway.accessLog'] as const
      if (!keys.every((key) => asked(situation, key)))
        return { plan: 'wait', for: 'the state of the pods and how the call fails', otherwise: [target] }
      if (hasUneventfulPods(situation, role, name)) return nothing
    }
    return ask(target)
  },
  read: ({ stdout }) => eventsParser.parse(stdout),
  learned: (data) => count(data.length, 'event'),
})

/** Complaints that no line of the call explains: events are asked for whatever the pods look like. */
function eventsAreExpected({ symptom }: Situation): boolean {
  return ['not-injected', 'not-applied', 'unknown', 'slow'].includes(symptom)
}

const lostConnection = ['UF', 'UH', 'UC', 'LH', 'URX']

/** All pods are up and have never been restarted, none is owed, and no connection failed: there is nothing that an event could explain. */
function hasUneventfulPods(situation: Situation, role: Role, namespace: string): boolean {
  const { store, failing, mode } = situation
  const pods = role === 'client' ? situation.client.pods : situation.server.pods
  const isOwed = store.list('Deployment', namespace).some(({ object: { spec, status } }) => {
    const wanted = Number(spec?.replicas ?? 1)
    return Number(status?.readyReplicas ?? 0) < wanted || Number(status?.updatedReplicas ?? 0) < wanted
  })
  const lines = failing.flatMap(({ client, gateway, waypoint, server }) => [client, gateway, waypoint, server])
  return (
    mode === 'sidecar' &&
    failing.length > 0 &&
    store.readable('Pod', namespace) === 'yes' &&
    store.readable('Deployment', namespace) === 'yes' &&
    pods.length > 0 &&
    pods.every(({ ready, restarts }) => ready && restarts === 0) &&
    !isOwed &&
    !lines.some((line) => line?.record.flags.some((flag) => lostConnection.includes(flag)))
  )
}

export const webhooks = defineProbe({
  name: 'webhooks',
  roles: ['mesh'],
  title: 'injection webhooks',
  layer: 'control-plane',
  needsExec: false,
  plan(situation) {
    // Where objects are in question, tags only matter when one of them names a revision.
    if (situation.symptom === 'not-applied') {
      const read = asked(situation, 'server.config') && asked(situation, 'client.config')
      if (!namesRevision(situation)) return read ? nothing : waitFor('whether an object names a revision')
    }
    return ask(meshTarget(kubectl('get', 'mutatingwebhookconfigurations.admissionregistration.k8s.io', '-o', 'json')))
  },
  read: (result, { command }) => readList(result, command.args, null),
  learned: summarise,
})

function namesRevision({ store }: Situation): boolean {
  const kinds = ['VirtualService', 'DestinationRule', 'AuthorizationPolicy', 'RequestAuthentication', 'EnvoyFilter']
  return [...kinds, 'PeerAuthentication', 'ServiceEntry', 'Sidecar'].some((kind) =>
    store.objects(kind).some(({ metadata }) => metadata.labels?.['istio.io/rev'] !== undefined),
  )
}

/** Routes of every namespace: a change without effect may lie where no end of the call lives. */
export const routing = defineProbe({
  name: 'routing',
  roles: ['mesh'],
  title: 'routes and destination rules of all namespaces',
  layer: 'client-sidecar-routing',
  needsExec: false,
  plan(situation) {
    if (!asked(situation, 'mesh.apiResources')) return waitFor('which kinds the cluster serves')
    const wanted = ['virtualservices.networking.istio.io', 'destinationrules.networking.istio.io']
    const kinds = ofThoseServed(situation, wanted)
    return kinds.length === 0 ? nothing : ask(meshTarget(kubectl('get', kinds.join(','), '-A', '-o', 'json')))
  },
  isAnswer: printedList,
  read: (result, { command }) => readList(result, command.args, null),
  learned: summarise,
})

/** Names only: whether the Secret that a Gateway names exists, never what is in it. */
export const secretNames = defineProbe({
  name: 'secretNames',
  roles: ['gateway'],
  title: 'names of the Secrets beside the gateway',
  layer: 'gateway-tls',
  needsExec: false,
  plan(situation) {
    if (!situation.gateway) return asked(situation, 'server.config') ? nothing : waitFor('the gateway')
    if (situation.gateway.pods.length === 0 && !asked(situation, 'gateway.pods')) return waitFor("the gateway's pods")
    const names = [...new Set(situation.gateway.pods.map(({ namespace }) => namespace))].sort()
    return ask(...names.map((name) => namespaceTarget(name, kubectl('get', 'secrets', '-n', name, '-o', 'name'))))
  },
  read({ stdout }, { namespace }): KubeRead {
    const items = stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('secret/'))
      .map((line) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: line.slice('secret/'.length), ...(namespace ? { namespace } : {}) },
      }))
    return { namespace, asked: ['secrets'], items, unreadable: [], partial: false }
  },
  learned: (data) => count(data.items.length, 'Secret'),
})
