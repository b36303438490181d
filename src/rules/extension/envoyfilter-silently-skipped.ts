import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { nameOfStored } from '../lib/gateways.ts'
import { patchFates } from '../lib/patches.ts'
import { rejectionsOf } from '../lib/sync-state.ts'
import { quoted } from '../lib/words.ts'

const codes: ReadonlySet<string> = new Set(['IST0151', 'IST0152', 'IST0153', 'IST0154', 'IST0155'])

/** A patch that depends on what is not there: it is left out, and nobody says so. */
export default defineRule({
  code: 'envoyfilter-silently-skipped',
  layer: 'extension',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'A patch of an EnvoyFilter is not applied',
  why: 'A patch that is placed before or after a filter, or bound to a proxy version, is left out without a word when that filter or version is not there. Upgrades change both.',
  yieldsTo: ['proxy-nack-error', 'proxy-stale-or-disconnected'],
  needs: ['server.config', ['server.analyze', 'gateway.analyze', 'client.analyze']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/analysis/ist0151/'],
  check(situation) {
    const { store, server, client, gateway, waypoint, rootNamespace } = situation
    const pods = [...server.pods, ...client.pods, ...(gateway?.pods ?? []), ...(waypoint?.pods ?? [])]
    const filters = store.list('EnvoyFilter').filter(({ object }) => {
      const labels = object.spec?.workloadSelector?.labels
      const reach = pods.filter(
        ({ namespace }) => namespace === object.metadata.namespace || object.metadata.namespace === rootNamespace,
      )
      return reach.some((pod) => !labels || matchesLabels(labels, pod.labels))
    })
    const found = filters.flatMap((filter) => {
      const finding =
        situation.analyze.find(
          ({ code, origin }) =>
            codes.has(code) &&
            origin?.name === filter.object.metadata.name &&
            (origin.namespace === null || origin.namespace === filter.object.metadata.namespace),
        ) ?? null
      const fates = patchFates(situation, filter)
      const lost = fates.find(({ isThere }) => !isThere) ?? null
      // What stands in the listeners is in force, whatever analyze fears.
      return lost || (finding && fates.length === 0) ? [{ filter, finding, lost }] : []
    })
    const [first] = found.sort((a, b) => Number(a.lost === null) - Number(b.lost === null))
    if (!first) {
      const [there] = filters.flatMap((filter) => patchFates(situation, filter).map((fate) => ({ filter, fate })))
      if (there)
        return ruledOut(
          'the filters that EnvoyFilters insert are in the listeners',
          quote(there.fate.entry, `filter ${there.fate.filter} is there`, there.fate.filter),
        )
      const [filter] = filters
      return filter && situation.analyze.length > 0
        ? ruledOut(
            'istioctl analyze objects to no EnvoyFilter on this way',
            quoteObject(
              filter,
              `EnvoyFilter ${nameOfStored(filter)} is there`,
              filter.object.spec?.workloadSelector ?? {},
            ),
          )
        : quiet
    }
    const { filter, finding, lost } = first
    const name = nameOfStored(filter)
    const pod = lost?.pod ?? pods[0]
    // In the root namespace patches of old releases often lie about, bound to their version.
    const isRejected = lost !== null && rejectionsOf(situation, lost.pod).some(({ entry }) => entry.type === 'LDS')
    const isProven = lost !== null && !isRejected && filter.object.metadata.namespace !== rootNamespace
    return fired({
      subject: `EnvoyFilter ${name}`,
      title: lost
        ? `EnvoyFilter ${name} has a patch that is not in the proxy: filter ${lost.filter} is missing`
        : `EnvoyFilter ${name} has a patch that may be left out silently`,
      statement: `${
        lost
          ? `It selects ${lost.pod.name}.${lost.pod.namespace}, whose listeners have no filter ${lost.filter}${lost.proxyVersion ? `; the patch is bound to proxyVersion ${lost.proxyVersion}` : ''}. `
          : ''
      }${finding ? `${finding.code}: ${finding.message} ` : ''}The proxy works without ${lost ? 'it' : 'the patch then'}, and reports no error.`,
      certainty: isProven ? 'proven' : 'likely',
      supporting: [
        ...(lost
          ? [quote(lost.entry, `no listener of ${lost.pod.name}.${lost.pod.namespace} has filter ${lost.filter}`)]
          : []),
        ...(finding ? [quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)] : []),
        quoteObject(filter, `patches of EnvoyFilter ${name}`, filter.object.spec?.configPatches),
      ],
      contradicting: [],
      fix: {
        statement: `Give EnvoyFilter ${name} a priority, or operation INSERT_FIRST where order allows it, and take proxyVersion out where it only fits an old release; leave its other patches as they are.`,
        commands: [
          `kubectl -n ${filter.object.metadata.namespace} edit envoyfilters.networking.istio.io ${quoted(filter.object.metadata.name)}`,
        ],
        scope: 'the workloads that it selects',
        risk: 'a patch that applies again changes traffic at once',
        undo: 'put the operation or version back',
      },
      verify: pod
        ? {
            command: `istioctl proxy-config listener ${pod.name}.${pod.namespace} -o json`,
            expect: 'the filter that the patch inserts',
          }
        : { command: 'istioctl proxy-config listener POD -o json', expect: 'the filter that the patch inserts' },
      wouldDecide: isProven
        ? null
        : {
            command: `istioctl proxy-config listener ${pod ? `${pod.name}.${pod.namespace}` : 'POD'} -o json`,
            why: 'the filter that the patch inserts stands there if the patch works; without it, it was skipped',
          },
      about: 'call',
    })
  },
})
