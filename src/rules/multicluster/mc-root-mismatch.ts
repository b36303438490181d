import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { clusterIdOf, eastWestPort, ownerOf } from '../lib/clusters-of-mesh.ts'
import { hit } from '../lib/hit.ts'
import { verifyFailures } from '../lib/tls-failures.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** Handshakes fail over a certificate with another cluster only: the two clusters have different roots. */
export default defineRule({
  code: 'mc-root-mismatch',
  layer: 'control-plane-ca',
  severity: 'error',
  explains: ['503', 'reset', 'tls'],
  title: 'Another cluster’s certificates come from a root that is not trusted here',
  why: 'Clusters of one mesh must share a root. Each istiod that was installed without a common one makes its own, and proxies then refuse every certificate of the other cluster.',
  needs: [['client.accessLog', 'gateway.accessLog']],
  yieldsTo: ['root-ca-expired'],
  seeAlso: ['https://istio.io/latest/docs/ops/diagnostic-tools/multicluster/'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const line = verifyFailures(situation).at(-1)
    const address = ipOf(line?.record.upstreamHost ?? null)
    if (!line || address === null) return quiet
    const own = situation.podByIp(address)
    if (own)
      return ruledOut(
        `${address} is ${own.name} of this cluster`,
        quote(own.entry, 'whose address it is', `${own.name} ${address}`),
      )
    const owner = line.pod ? ownerOf(situation, line.pod, address) : null
    const here = line.pod ? clusterIdOf(line.pod) : null
    const isAway = owner !== null && here !== null && owner.cluster !== here
    if (!isAway && portOf(line.record.upstreamHost) !== eastWestPort) return quiet
    // A certificate that ran out is refused for its date, wherever it comes from.
    if (/expired/i.test(`${line.record.transportFailure ?? ''} ${line.record.details ?? ''}`)) return quiet
    const { istioNamespace } = situation.given
    const where = isAway ? `cluster ${owner.cluster}` : 'another cluster'
    return fired(
      hit({
        subject: `${destinationName(situation)} at ${address}`,
        title: `${callerName(situation)} does not trust the certificates of ${where}`,
        statement: `The handshake with ${line.record.upstreamHost} in ${where} ended over a certificate.${
          situation.passing.length > 0 ? ' Calls that stay in this cluster pass.' : ''
        } Most often the istiods of the two clusters have different roots.`,
        certainty: 'likely',
        supporting: [quoteLine(line, 'the certificate of the other side was refused'), ...(owner ? [owner.quote] : [])],
        wouldDecide: {
          command: `kubectl --context=OTHER get configmap istio-ca-root-cert -n ${istioNamespace} -o yaml, and the same here`,
          why: 'two different roots prove it',
        },
        fix: {
          statement: `Give both istiods intermediate certificates of one common root (Secret cacerts in ${istioNamespace}), with both old roots in the bundle until every workload has new certificates.`,
          commands: [`kubectl get configmap istio-ca-root-cert -n ${istioNamespace} -o yaml`],
          scope: 'both clusters',
          risk: 'a root taken away too early breaks every proxy that still uses it',
          undo: 'put the old roots back into the bundle',
        },
        verify: tryAgain(situation, 'an answer, and no TLS_error in the new line'),
      }),
    )
  },
})
