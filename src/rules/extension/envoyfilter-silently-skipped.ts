import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { nameOfStored } from '../lib/gateways.ts'
import { quoted } from '../lib/words.ts'

const codes: ReadonlySet<string> = new Set(['IST0151', 'IST0152', 'IST0153', 'IST0154', 'IST0155'])

/** A patch that depends on what is not there: it is left out, and nobody says so. */
export default defineRule({
  code: 'envoyfilter-silently-skipped',
  layer: 'extension',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'A patch of an EnvoyFilter may not be applied',
  why: 'A patch that is placed before or after a filter, or bound to a proxy version, is left out without a word when that filter or version is not there. Upgrades change both.',
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
      const finding = situation.analyze.find(
        ({ code, origin }) =>
          codes.has(code) &&
          origin?.name === filter.object.metadata.name &&
          (origin.namespace === null || origin.namespace === filter.object.metadata.namespace),
      )
      return finding ? [{ filter, finding }] : []
    })
    const [first] = found
    if (!first) {
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
    const { filter, finding } = first
    const name = nameOfStored(filter)
    const [pod] = pods
    return fired({
      subject: `EnvoyFilter ${name}`,
      title: `EnvoyFilter ${name} has a patch that may be left out silently`,
      statement: `${finding.code}: ${finding.message} The proxy then works without the patch, and reports no error.`,
      certainty: 'likely',
      supporting: [
        quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`),
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
      wouldDecide: {
        command: `istioctl proxy-config listener ${pod ? `${pod.name}.${pod.namespace}` : 'POD'} -o json`,
        why: 'whether the filter that the patch inserts is in the proxy',
      },
      about: 'call',
    })
  },
})
