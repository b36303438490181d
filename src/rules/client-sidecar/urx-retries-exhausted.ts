import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** Retries were used up. Never the cause itself: whatever failed each time is. */
export default defineRule({
  code: 'urx-retries-exhausted',
  layer: 'client-sidecar-routing',
  severity: 'info',
  explains: ['503', '504', '502', '500'],
  title: 'Retries were used up',
  why: 'URX says that the proxy tried again, as often as it may, and failed each time in the same way. What to repair is the reason of the last try.',
  needs: [anyLog],
  yieldsTo: [
    'ambient-ztunnel-down',
    'ambient-netpol-15008',
    'uf-connection-refused',
    'uf-localhost-bind',
    'uf-connect-timeout-network',
    'dr-mutual-to-nonmesh',
    'dr-tls-disable-vs-strict',
    'cert-verify-failed',
    'root-ca-expired',
    'workload-cert-expired',
    'mc-root-mismatch',
    'double-tls-egress',
    'app-own-5xx',
    'app-closes-connection',
    'uc-keepalive-race',
    'uc-pod-shutdown',
    'ut-route-timeout',
    'retry-multiplied-timeout',
    'app-before-proxy',
    'ur-remote-reset-h2',
    'ambient-503-uc',
  ],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) => record.flags.includes('URX'),
      'no line says that retries were used up',
      ({ who, often, line }) => ({
        subject: destinationName(situation),
        title: `${who} tried ${destinationName(situation)} again until its retries were used up`,
        statement: `${who} retried ${often} and failed each time; the last reason is ${line.record.transportFailure ?? line.record.details ?? 'not in the line'}.`,
        certainty: 'possible',
        sign: 'retries were used up',
        fix: handOver('Repair what the last try failed with; more retries only add load.', destinationName(situation)),
        verify: tryAgain(situation, 'no URX in the new line'),
        wouldDecide: {
          command: `kubectl logs ${situation.server.pod?.name ?? 'POD'} -n ${situation.server.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
          why: 'the destination’s own lines say what each try met',
        },
      }),
    ),
})
