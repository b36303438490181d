import { lastedAnHour } from '../../mesh/tcp-idle.ts'
import { fired, quiet } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { destinationName, plural, senderName } from '../lib/words.ts'

/** A TCP connection without traffic is closed by the proxy after an hour, and says nothing about it. */
export default defineRule({
  code: 'tcp-idle-1h',
  layer: 'client-sidecar-listener',
  severity: 'warning',
  explains: ['reset', 'timeout'],
  title: 'Idle TCP connections are closed after an hour',
  why: 'Proxies close a TCP connection on which nothing has been sent for an hour. Pools of databases and brokers that keep connections for longer find them dead.',
  needs: [['client.accessLog', 'server.accessLog']],
  check(situation) {
    // Both sides log a connection: one line of each is enough.
    const lines = situation.exchanges.flatMap(
      ({ client, gateway, server }) =>
        [client, gateway, server].find((line) => line && lastedAnHour(line.record)) ?? [],
    )
    const [first] = lines
    if (!first) return quiet
    const proven = lines.length > 1
    const name = destinationName(situation)
    return fired(
      hit({
        subject: name,
        title: `Connections of ${senderName(situation)} to ${name} end after an hour without traffic`,
        statement: `${plural(lines.length, 'connection')} ended at ${lines
          .map(({ record }) => `${Math.round((record.durationMs ?? 0) / 1000)} s`)
          .slice(0, 4)
          .join(', ')} without any flag: that is the proxy’s idle timeout for TCP.`,
        certainty: proven ? 'proven' : 'likely',
        supporting: lines.slice(0, 3).map((line) => quoteLine(line, 'it lasted an hour and ended without a flag')),
        wouldDecide: proven
          ? null
          : {
              command: `kubectl logs -n ${first.pod?.namespace ?? 'NAMESPACE'} ${first.pod?.name ?? 'POD'} -c istio-proxy --since=24h`,
              why: 'more connections that end at the same age prove a timer',
            },
        fix: {
          statement: `Let the client send TCP keepalives or recycle its connections before an hour, or set connectionPool.tcp.idleTimeout for ${name} in a DestinationRule; keep the rest of that rule.`,
          commands: [],
          scope: `connections to ${name}`,
          risk: 'a longer idle timeout keeps dead connections for longer',
          undo: 'remove the setting',
        },
        verify: {
          command: `kubectl logs -n ${first.pod?.namespace ?? 'NAMESPACE'} ${first.pod?.name ?? 'POD'} -c istio-proxy --since=2h`,
          expect: 'connections that live longer than an hour',
        },
      }),
    )
  },
})
