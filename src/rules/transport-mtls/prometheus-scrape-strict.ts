import { fired, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { quotePod, withoutProxy } from '../lib/pod-facts.ts'
import { modeText, plaintextRefusals, quoteMode, transportOf } from '../lib/transport.ts'

/** A scraper outside the mesh asks a port that takes only mutual TLS. */
export default defineRule({
  code: 'prometheus-scrape-strict',
  layer: 'transport-mtls',
  severity: 'warning',
  explains: ['reset', '503'],
  title: 'Prometheus scrapes a STRICT port in plaintext',
  why: 'A Prometheus without a sidecar scrapes in plaintext. Under STRICT the application’s own metrics port refuses that; only the agent’s port 15020, where metrics are merged, stays open.',
  needs: ['server.config', 'server.accessLog'],
  seeAlso: ['https://istio.io/latest/docs/ops/integrations/prometheus/'],
  check(situation) {
    const refusal = plaintextRefusals(situation).at(-1)
    if (!refusal?.server) return quiet
    const transport = transportOf(situation, refusal)
    const caller = transport?.caller ?? null
    if (!transport || !caller || !isPrometheus(caller) || transport.accepts?.mode !== 'STRICT') return quiet
    const { annotations } = transport.target
    const scraped = annotations['prometheus.io/port'] === String(transport.port)
    const { path } = situation.given
    // Injection rewrites a pod's own annotations to the merged port, so they say nothing about what is scraped besides.
    const metrics =
      path === null ||
      /metrics|prometheus/.test(path) ||
      path.startsWith(annotations['prometheus.io/path'] ?? '/metrics')
    if (!scraped && !metrics) return quiet
    const target = `${transport.target.name}.${transport.target.namespace}:${transport.port}`
    return fired(
      hit({
        subject: podLabel(caller),
        title: `${podLabel(caller)} scrapes ${target} in plaintext, and ${target} accepts only mutual TLS`,
        statement: `${withoutProxy(caller)}, and ${modeText(transport.accepts)} for this port, so its scrapes are refused before a request is read.`,
        certainty: 'proven',
        supporting: [
          quoteLine(refusal.server, 'the scrape was refused: no SNI, so it was plaintext'),
          quoteMode(situation, transport),
          quotePod(caller, 'the scraper'),
          quote(
            transport.target.entry,
            'what the target asks to be scraped at',
            `prometheus.io/port: ${annotations['prometheus.io/port'] ?? 'not set'}`,
          ),
        ],
        fix: {
          statement: `Let ${podLabel(caller)} scrape the merged metrics at port 15020 (annotation prometheus.io/scrape on the pod template of the target, with merging on), or give it the mesh's certificates; leave STRICT as it is.`,
          commands: [],
          scope: 'scrapes of this target',
          risk: 'merged metrics carry the proxy’s own, too',
          undo: 'scrape the old port again',
        },
        verify: {
          command: `kubectl logs -n ${transport.target.namespace} ${transport.target.name} -c istio-proxy --tail=50`,
          expect: `no new filter_chain_not_found from ${caller.ip ?? 'the scraper'}`,
        },
      }),
    )
  },
})

function isPrometheus({ labels, object }: PodView): boolean {
  const containers: readonly { image?: string; name?: string }[] = object.spec?.containers ?? []
  return (
    labels['app.kubernetes.io/name'] === 'prometheus' ||
    labels.app === 'prometheus' ||
    containers.some(({ image }) => /(?:^|\/)prometheus(?::|@|$)/.test(image ?? ''))
  )
}
