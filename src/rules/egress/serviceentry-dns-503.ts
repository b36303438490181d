import { fired, quiet } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterOfLine, objectName, refOfObject } from '../lib/cluster.ts'
import { frontLines, frontName, quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { handOver, tryAgain } from '../lib/words.ts'

/** The proxy resolves the outside host itself, and gets no address. */
export default defineRule({
  code: 'serviceentry-dns-503',
  layer: 'dns',
  severity: 'error',
  explains: ['503', 'reset', 'timeout'],
  title: 'The proxy cannot resolve the outside host',
  why: 'A ServiceEntry with resolution DNS makes the proxy look up the host by itself. When its resolver knows no address, the cluster stays empty, and requests get 503.',
  needs: [['client.accessLog', 'gateway.accessLog']],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) =>
        record.flags.includes('DF') ||
        record.flags.includes('UH') ||
        /dns_resolution|no_healthy_upstream/.test(record.details ?? ''),
    )
    const last = signs.at(-1)
    if (!last) return signMissing(situation, 'no line says that a name could not be resolved')
    const failed = last.line.record.flags.includes('DF') || /dns_resolution/.test(last.line.record.details ?? '')
    const route = routeOfCall(situation, last.role)
    const cluster = clusterOfLine(situation, last.line, route)
    const host = cluster?.parsed.host || situation.server.host || ''
    const entry =
      situation.store.list('ServiceEntry').find(({ object }) => (object.spec?.hosts ?? []).includes(host)) ?? null
    const resolution: string = entry?.object.spec?.resolution ?? ''
    const byDns = resolution.startsWith('DNS') || cluster?.type === 'STRICT_DNS' || cluster?.type === 'LOGICAL_DNS'
    if (!failed && !byDns) return quiet
    const empty = cluster?.endpoints?.length === 0
    const isProven = failed || empty
    const name = entry ? objectName(entry.object) : null
    return fired(
      hitOf({
        subject: name ?? host,
        title: `${frontName(situation, last.role)} has no address for ${host}`,
        statement: `${frontName(situation, last.role)} could not send ${share(situation, signs)} anywhere: ${failed ? 'the name was not resolved' : 'its cluster, which it fills by DNS, has no endpoint'}.${name ? ` ${name} has resolution ${resolution || 'NONE'}.` : ''}`,
        certainty: isProven ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            'nowhere to send it',
          ),
          ...(cluster?.quoteEndpoints('what DNS gave the proxy') ?? []),
          ...(entry ? [quoteObject(entry, `what ${name} says`, entry.object.spec)] : []),
        ],
        fix: entry
          ? editFix(
              refOfObject(entry.object),
              `Correct the host or endpoints of ${name} to a name that the cluster's DNS resolves; keep its ports.`,
              `callers of ${host}`,
              'requests go to whatever the new name means',
            )
          : handOver(`Make ${host} resolvable for the proxies.`, `callers of ${host}`),
        verify: tryAgain(situation, 'no UH or DF in the new line'),
        wouldDecide: isProven
          ? null
          : {
              command: `istioctl proxy-config endpoints ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} --cluster '${cluster?.name ?? host}'`,
              why: 'no row means that DNS gave the proxy nothing',
            },
      }),
    )
  },
})
