import { fired, quiet } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { refusedConnection } from '../lib/refused-connections.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The application listens on 127.0.0.1, where nobody outside the pod can reach it. */
export default defineRule({
  code: 'uf-localhost-bind',
  layer: 'app',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'The application listens on localhost only',
  why: 'A proxy forwards to the address of the pod. An application that binds to 127.0.0.1 is not there, although it works from inside the pod.',
  needs: [['server.accessLog', 'ztunnel.ztunnelLog'], 'server.analyze'],
  check(situation) {
    const refused = refusedConnection(situation)
    if (!refused) return signMissing(situation, 'no line speaks of a refused connection')
    const names = new Set([
      situation.server.service?.object.metadata.name,
      ...situation.server.pods.flatMap(({ name, workload }) => [name, workload?.name]),
    ])
    const finding = situation.analyze.find(
      ({ code, origin }) => code === 'IST0143' && names.has(origin?.name ?? undefined),
    )
    // Silence of analyze proves nothing: only some versions look.
    if (!finding) return quiet
    return fired(
      hitOf({
        subject: destinationName(situation),
        title: `The application behind ${destinationName(situation)} listens on localhost only`,
        statement: `The connection to port ${refused.port ?? '?'} of the pod was refused, and istioctl analyze found the port bound to localhost.`,
        certainty: 'proven',
        supporting: [
          ...refused.quotes,
          quote(finding.entry, 'istioctl analyze found it', `${finding.code} ${finding.message}`),
        ],
        fix: handOver(
          'Let the application bind to 0.0.0.0 (or the address of the pod). Where that cannot change, a Sidecar with ingress.defaultEndpoint 127.0.0.1:PORT for this workload does it.',
          destinationName(situation),
        ),
        verify: tryAgain(situation, 'an answer of the application'),
      }),
    )
  },
})
