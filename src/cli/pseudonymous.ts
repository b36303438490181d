import { randomBytes } from 'node:crypto'
import { createPseudonyms, type NameKind } from '../exec/pseudonyms.ts'
import type { Given } from '../model/call.ts'
import type { Command } from '../model/command.ts'

/**
 * Names and addresses made unreadable in what is handed on. The walk itself sees the real ones, so that no verdict depends
 * on it; the map back lies with the session, which stays with the person.
 */
export interface Pseudonymous {
  /** Learns the names in what a command printed. */
  readonly learn: (command: Pick<Command, 'file' | 'args'>, stdout: string) => void
  /** The same document with pseudonyms in its texts; keys and fixed words stay. */
  readonly document: <T>(document: T) => T
  /** Pseudonym → name. */
  readonly reverse: () => Readonly<Record<string, string>>
}

/** What every mesh has, and words that are no name: they tell nothing about whose mesh it is. */
const common = new Set(
  'default kube-system kube-public kube-node-lease istio-system istio-ingress istio-egress istio istiod ztunnel waypoint kubernetes istio-proxy istio-init istio-cni-node istio-ingressgateway istio-egressgateway istio-remote app http https http2 grpc tcp tls udp main cluster local svc v1 v2 v3 kube-root-ca.crt istio-ca-root-cert istio-sidecar-injector mesh root'.split(
    ' ',
  ),
)

/** Fields whose values are words of the note's own language. */
const fixed = new Set(
  '$schema kind schemaVersion type mode dataPlaneMode hop certainty verdict code layer status role state effect severity result end at startedAt finishedAt kubernetesVersion client controlPlane dataPlane tool rules counts version seeAlso'.split(
    ' ',
  ),
)

const kinds: Readonly<Record<string, NameKind>> = {
  Namespace: 'ns',
  Pod: 'pod',
  Service: 'svc',
  ServiceAccount: 'sa',
  Node: 'node',
}
const nameLabels = ['app', 'app.kubernetes.io/name', 'app.kubernetes.io/instance', 'service.istio.io/canonical-name']

export function createPseudonymous(given: Given, context: string | null): Pseudonymous {
  const names = createPseudonyms(randomBytes(16).toString('hex'))
  const add = (kind: NameKind, name: unknown) => {
    if (typeof name !== 'string' || name.length < 2 || common.has(name) || /^[\d.:]+$/.test(name)) return
    names.of(kind, name)
  }
  const addHost = (host: unknown) => {
    if (typeof host !== 'string') return
    const bare = host.replace(/:\d+$/, '').replace(/^\*\./, '')
    const labels = bare.split('.')
    // A service's host is made of names that are known by themselves, and can be joined with them.
    if (labels[2] === 'svc' || labels.length === 1) for (const label of labels.slice(0, 2)) add('svc', label)
    else add('host', bare)
  }
  for (const target of [given.from, given.to]) {
    add('ns', target?.namespace)
    if (target?.kind === null && target.namespace === null) addHost(target.name)
    else add('svc', target?.name)
  }
  addHost(given.host)
  add('name', context)
  add('ns', given.namespace)

  const object = (value: Readonly<Record<string, unknown>>) => {
    const metadata = record(value.metadata)
    const spec = record(value.spec)
    add('ns', metadata.namespace)
    add(kinds[String(value.kind)] ?? 'name', metadata.name)
    for (const owner of list(metadata.ownerReferences)) add('name', record(owner).name)
    for (const label of nameLabels) add('name', record(metadata.labels)[label])
    add('sa', spec.serviceAccountName)
    add('node', spec.nodeName)
    addHost(spec.host)
    for (const host of list(spec.hosts)) addHost(String(host).split('/').at(-1))
    for (const server of list(spec.servers))
      for (const host of list(record(server).hosts)) addHost(String(host).split('/').at(-1))
  }
  return {
    learn: ({ file, args }, stdout) => {
      if (file !== 'kubectl' || !args.includes('get') || !/^\s*\{/.test(stdout)) return
      try {
        const document = record(JSON.parse(stdout))
        for (const item of [document, ...list(document.items)]) object(record(item))
      } catch {
        // What is no JSON teaches no names; the probe that reads it says what is wrong.
      }
    },
    document: (document) => replaced(document, names.text) as typeof document, // texts for texts, nothing else changes
    reverse: () => Object.fromEntries(names.reverse()),
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function replaced(value: unknown, text: (text: string) => string): unknown {
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value)) return value.map((entry) => replaced(entry, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      // Keys are words of ours unless they are somebody's labels, hosts or addresses.
      /^[A-Za-z$]\w*$/.test(key) ? key : text(key),
      fixed.has(key) && isWord(inner) ? inner : replaced(inner, text),
    ]),
  )
}

/** No text of anybody: a word, a version, a time, a number, or a list or table of those. */
function isWord(value: unknown): boolean {
  if (typeof value === 'string') return /^[\w+:/.-]*$/.test(value) && !/\d+\.\d+\.\d+\.\d+/.test(value)
  if (Array.isArray(value)) return value.every(isWord)
  return typeof value !== 'object' || value === null || Object.values(value).every(isWord)
}
