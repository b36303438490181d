import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import {
  aboutSync,
  changeBefore,
  messagesOf,
  proxiesOnTheWay,
  proxyId,
  quoteStates,
  rejectionsOf,
  typesIn,
} from '../lib/sync-state.ts'

const rejectedByEnvoy = /config for \S+ rejected: |config received from XDS server, but was rejected/

/** Envoy refused a push and keeps what it had: later changes of the same kind do not arrive either. */
export default defineRule({
  code: 'proxy-nack-error',
  layer: 'control-plane-xds',
  severity: 'error',
  explains: ['not-applied'],
  title: 'A proxy rejects its configuration',
  why: 'A proxy that rejects a push keeps its last good configuration and says so to istiod. Nothing of that kind arrives any more until the object that it rejects is mended. A restart would lose the last good configuration.',
  needs: [['mesh.proxyStatus', 'mesh.istiodLog']],
  seeAlso: ['https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/'],
  check(situation) {
    const pods = proxiesOnTheWay(situation)
    const hits = pods.flatMap((pod) => rejecting(situation, pod) ?? [])
    if (hits.length > 0) return fired(...mergeHits(hits))
    const synced = pods.flatMap((pod) => quoteStates(situation, pod, `${proxyId(pod)} rejects nothing`) ?? [])
    return synced.length > 0 ? ruledOut('no proxy on the way of this call rejects its configuration', ...synced) : quiet
  },
})

function rejecting(situation: Situation, pod: PodView): Hit | null {
  const errors = typesIn(situation, pod, 'ERROR')
  const sync = situation.sync(pod)
  const rejections = rejectionsOf(situation, pod)
  const last = rejections.at(-1) ?? null
  const type = last?.entry.type ?? null
  // A rejection in the log that a later push has overcome is history.
  const state = type && sync ? (sync.types[type]?.state ?? null) : null
  const standing = last !== null && (state === null || state === 'ERROR' || state === 'STALE')
  if (!errors && !standing) return null
  const own = messagesOf(situation, pod, rejectedByEnvoy).at(-1) ?? null
  const detail = errors?.types.map(([, { detail: text }]) => text).find((text) => text !== undefined) ?? null
  const reason = (standing ? last.entry.reason : null) ?? detail ?? own?.text ?? null
  const culprit = findCulprit(situation, pod, reason, standing ? last.entry.time : null)
  const kinds = errors?.names.join(', ') ?? type ?? 'a push'
  const states = quoteStates(situation, pod, `istiod reports ${kinds} ERROR for ${proxyId(pod)}`)
  const proven = errors !== null || state === 'STALE' || own !== null
  const name = culprit ? `${culprit.stored.object.kind} ${pathOf(culprit.stored)}` : null
  return {
    subject: name ?? proxyId(pod),
    title: `${proxyId(pod)} rejects its ${kinds} configuration${name ? ` because of ${name}` : ''}`,
    statement: `${proxyId(pod)} answered the last push of ${kinds} with an error${reason ? `: ${firstLine(reason)}` : ''}. It runs on the configuration from before, so changes of this kind do not reach it.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(standing
        ? [quote(last.from, `istiod logged the rejection by ${proxyId(pod)}`, last.entry.raw, last.entry.line)]
        : []),
      ...(errors && states ? [states] : []),
      ...(own ? [quote(own.entry, 'Envoy itself says that it rejected a configuration', own.text, own.line)] : []),
      ...(culprit?.quotes ?? []),
    ],
    contradicting: [],
    fix: {
      statement: name
        ? `Correct or remove what Envoy rejects in ${name}; leave other objects alone. Do not restart ${proxyId(pod)}: it would lose its last good configuration.`
        : `Correct the object that the message names: look first at EnvoyFilters that select ${proxyId(pod)}. Do not restart the pod: it would lose its last good configuration.`,
      commands: culprit
        ? [
            `kubectl -n ${culprit.stored.object.metadata.namespace} edit ${culprit.stored.object.kind.toLowerCase()} ${culprit.stored.object.metadata.name}`,
          ]
        : [],
      scope: name ? `every proxy that ${name} selects` : 'every proxy that the object selects',
      risk: 'once the push is accepted, all changes that waited behind it take effect at the same time',
      undo: 'apply the object as it was; the proxy rejects it again and keeps what it then has',
    },
    verify: {
      command: 'istioctl proxy-status -v 1',
      expect: `SYNCED for ${kinds} of ${proxyId(pod)}, and no new ACK ERROR in istiod's log`,
    },
    wouldDecide: proven
      ? null
      : {
          command: 'istioctl proxy-status -v 1',
          why: 'whether the rejection still stands is not known without its state',
        },
    about: aboutSync(situation),
  }
}

function firstLine(reason: string): string {
  const [line = ''] = reason.split('\n')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

interface Culprit {
  readonly stored: Stored
  readonly quotes: readonly Quote[]
}

/** The object whose text Envoy complains about, or else the change that the rejected push carried. */
function findCulprit(situation: Situation, pod: PodView, reason: string | null, time: string | null): Culprit | null {
  const filters = situation.store.list('EnvoyFilter').filter(({ object }) => {
    const own = object.metadata.namespace === pod.namespace || object.metadata.namespace === situation.rootNamespace
    const selector = object.spec?.workloadSelector?.labels
    return own && (selector === undefined || matchesLabels(selector, pod.labels))
  })
  const words = wordsOf(reason)
  const repeated = filters.filter(({ object }) =>
    words.some((word) => textsIn(object.spec).some((text) => text.includes(word))),
  )
  const change = changeBefore(situation, time)
  const changed = change ? storedAs(situation, change.data.resource ?? '') : null
  // What Envoy repeats beats what changed last, and the only candidate beats none; among several nobody is named.
  const chosen =
    repeated.length === 1
      ? repeated[0]
      : ([...repeated, ...(repeated.length === 0 ? filters : [])].find(({ object }) => object === changed?.object) ??
        (repeated.length === 0 && filters.length === 1 ? filters[0] : undefined))
  if (!chosen) return null
  return {
    stored: chosen,
    quotes: [
      quoteObject(chosen, `what ${pathOf(chosen)} asks for`, chosen.object.spec),
      ...(change && chosen.object === changed?.object
        ? [quote(change.entry, 'it changed just before the push that was rejected', change.data.raw, change.data.line)]
        : []),
    ],
  }
}

/** An object by `Kind/ns/name`, as istiod's log names it. */
function storedAs({ store }: Situation, resource: string): Stored | null {
  const [kind = '', namespace = '', name = ''] = resource.split('/')
  return store.get(kind, namespace, name)
}

/** Pieces of configuration that Envoy repeats in its message: `[string "function …"]`, 'name'. */
function wordsOf(reason: string | null): readonly string[] {
  if (reason === null) return []
  return [...reason.matchAll(/"([^"\n]{6,}?)(?:\.\.\.)?"|'([^'\n]{6,})'/g)].map(([, a, b]) => (a ?? b ?? '').trim())
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)])
}

function pathOf({ object }: Stored): string {
  return `${object.metadata.namespace}/${object.metadata.name}`
}
