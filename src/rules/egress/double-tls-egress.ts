import { effectiveBlock } from '../../mesh/destination-rule.ts'
import { fired } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterOfLine, objectName, ruleFor } from '../lib/cluster.ts'
import { frontLines, frontName, quoteSign, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { removeTlsBlock } from '../lib/tls-fix.ts'
import { callerName, handOver, tryAgain } from '../lib/words.ts'

/** The application speaks TLS, and the proxy wraps it in TLS again, or starts TLS where the host speaks none. */
export default defineRule({
  code: 'double-tls-egress',
  layer: 'egress',
  severity: 'error',
  explains: ['tls', '503', 'reset', '400'],
  title: 'TLS is started twice towards an outside host',
  why: 'A DestinationRule with tls mode SIMPLE makes the proxy start TLS by itself. Where the application already does, or the port speaks plain HTTP, the other side cannot read it.',
  needs: [
    ['client.accessLog', 'gateway.accessLog'],
    ['client.config', 'server.config'],
  ],
  applies: ({ server }) => server.external,
  check(situation) {
    const signs = frontLines(situation, ({ record }) =>
      /WRONG_VERSION_NUMBER|HTTP_REQUEST/.test(`${record.transportFailure ?? ''}${record.details ?? ''}`),
    )
    const last = signs.at(-1)
    const cluster = clusterOfLine(situation, last?.line ?? null, routeOfCall(situation, last?.role ?? 'client'))
    const host = cluster?.parsed.host || situation.server.host || ''
    const port = cluster?.parsed.port ?? situation.server.portNumber ?? 443
    const tls = effectiveBlock(ruleFor(situation, host), 'tls', port, cluster?.parsed.subset ?? '')
    const mode: string = tls?.value?.mode ?? ''
    const entry =
      situation.store.list('ServiceEntry').find(({ object }) => (object.spec?.hosts ?? []).includes(host)) ?? null
    const protocol = String(
      (entry?.object.spec?.ports ?? []).find((one: { number?: number }) => one?.number === port)?.protocol ?? '',
    ).toUpperCase()
    const originates = mode === 'SIMPLE' || mode === 'MUTUAL'
    const appTls = protocol === 'HTTPS' || protocol === 'TLS' || (protocol === '' && port === 443)
    if (!tls || !originates || !(appTls || last))
      return signMissing(situation, 'no DestinationRule starts TLS towards this host')
    const rule = objectName(tls.object)
    const stored = situation.store.get(
      'DestinationRule',
      tls.object.metadata.namespace ?? null,
      tls.object.metadata.name,
    )
    const isProven = last !== undefined && (appTls || protocol !== '')
    return fired(
      hitOf({
        subject: rule,
        title: `${rule} starts TLS towards ${host}:${port}, ${appTls ? `where ${callerName(situation)} already does` : 'which answers in plaintext'}`,
        statement:
          `${rule} sets tls mode ${mode} for ${host}${entry ? `, and ${objectName(entry.object)} declares port ${port} as ${protocol || 'nothing'}` : ''}.${last ? ` ${frontName(situation, last.role)} got no TLS answer in ${share(situation, signs)}.` : ''} ${appTls ? 'The application’s TLS is wrapped in another one, which the host cannot read.' : ''}`.trim(),
        certainty: isProven ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            'what came back was not the TLS that was expected',
          ),
          ...(stored ? [quoteObject(stored, `what ${rule} says`, tls.value)] : []),
          ...(entry ? [quoteObject(entry, `what ${objectName(entry.object)} declares`, entry.object.spec?.ports)] : []),
        ],
        fix: stored
          ? {
              ...removeTlsBlock(stored.object, tls.field, true),
              statement: `Either let the application use http:// and the proxy start TLS (declare the port as HTTP with targetPort 443), or remove spec.${tls.field} from ${rule} and leave TLS to the application; keep its other settings.`,
            }
          : handOver('Let either the application or the proxy start TLS, not both.', `callers of ${host}`),
        verify: tryAgain(situation, 'an answer of the outside host'),
        wouldDecide: isProven
          ? null
          : {
              command: `kubectl logs ${situation.client.pod?.name ?? 'POD'} -n ${situation.client.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
              why: 'a line with a TLS error for this host proves it',
            },
      }),
    )
  },
})
