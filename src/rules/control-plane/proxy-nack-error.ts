import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { resourceFor } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { patchFates } from '../lib/patches.ts'
import { filtersOf, pathOf, rejectedObject, touchesCall } from '../lib/rejected-object.ts'
import {
  aboutSync,
  decidesCall,
  messagesOf,
  proxiesOnTheWay,
  proxyId,
  quoteStates,
  rejectionsOf,
  typesIn,
} from '../lib/sync-state.ts'
import { destinationName } from '../lib/words.ts'

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
  // A proxy that answers nothing at all is STALE in types that it never rejected.
  const hangs = typesIn(situation, pod, 'STALE')?.names.some(
    (name) => !rejections.some(({ entry }) => entry.type === name),
  )
  const standing = last !== null && (state === null || state === 'ERROR' || (state === 'STALE' && hangs !== true))
  if (!errors && !standing) return null
  const own = messagesOf(situation, pod, rejectedByEnvoy).at(-1) ?? null
  const detail = errors?.types.map(([, { detail: text }]) => text).find((text) => text !== undefined) ?? null
  const reason = (standing ? last.entry.reason : null) ?? detail ?? own?.text ?? null
  const culprit = rejectedObject(situation, pod, {
    type: errors?.names[0] ?? type,
    reason,
    time: standing ? last.entry.time : null,
  })
  const kinds = errors?.names.join(', ') ?? type ?? 'a push'
  const states = quoteStates(situation, pod, `istiod reports ${kinds} ERROR for ${proxyId(pod)}`)
  const touches = touchesCall(situation, reason)
  // A filter that the rejected object inserts and the listeners lack: the rejection still stands, whatever istiod can say now.
  const lacks =
    culprit !== null && patchFates(situation, culprit.stored).some(({ pod: at, isThere }) => at === pod && !isThere)
  const proven = touches && (errors !== null || state === 'STALE' || (state === null && lacks))
  const name = culprit ? pathOf(culprit.stored) : null
  const maybe = culprit ? [] : filtersOf(situation, pod)
  return {
    subject: name ?? proxyId(pod),
    title: `${proxyId(pod)} rejects its ${kinds} configuration${name ? ` because of ${name}` : ''}`,
    statement: `${proxyId(pod)} answered the last push of ${kinds} with an error${reason ? `: ${firstLine(reason)}` : ''}. ${
      touches
        ? 'It runs on the configuration from before, so changes of this kind do not reach it.'
        : `What the message names is not ${destinationName(situation)}: Envoy takes the rest of such a push, so changes for this call may well have arrived.`
    }`,
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
        : `Correct the object that the message is about${maybe.length > 0 ? `; ${maybe.map(pathOf).slice(0, 3).join(', ')} ${maybe.length === 1 ? 'patches' : 'patch'} this proxy and may be it` : ''}. Do not restart ${proxyId(pod)}: it would lose its last good configuration.`,
      commands: culprit
        ? [
            `kubectl -n ${culprit.stored.object.metadata.namespace} edit ${resourceFor(culprit.stored.object.kind)} ${culprit.stored.object.metadata.name}`,
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
      : touches
        ? {
            command: 'istioctl proxy-status -v 1',
            why: 'it shows whether the rejection still stands: SYNCED means that it is over',
          }
        : {
            command: `istioctl proxy-status ${proxyId(pod)}`,
            why: 'the difference between what the proxy holds and what istiod would send shows whether this call is touched',
          },
    about: decidesCall(situation, pod, errors?.names ?? (type ? [type] : [])) ? aboutSync(situation) : 'aside',
  }
}

function firstLine(reason: string): string {
  const [line = ''] = reason.split('\n')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
