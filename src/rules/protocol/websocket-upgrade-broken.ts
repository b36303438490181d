import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The change of protocol was refused: by a proxy that allows none, or by the application. */
export default defineRule({
  code: 'websocket-upgrade-broken',
  layer: 'protocol',
  severity: 'error',
  explains: ['403', '400', '404', '502'],
  title: 'The upgrade of the connection is refused',
  why: 'WebSocket begins as an HTTP request that asks for another protocol. A proxy whose filters or port do not allow the upgrade answers it instead of passing it on.',
  needs: [anyLog],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) => record.details === 'upgrade_failed' || record.details === 'websocket_handshake_unsuccessful',
      'no line speaks of an upgrade',
      ({ who, often, line }) => {
        const byApp = line.record.details === 'websocket_handshake_unsuccessful'
        return {
          subject: destinationName(situation),
          title: byApp
            ? `The application behind ${destinationName(situation)} refuses the WebSocket handshake`
            : `${who} does not let ${callerName(situation)} upgrade the connection`,
          statement: `${who} ended ${often} with ${line.record.details}.${byApp ? ' The status is the application’s own.' : ''}`,
          sign: 'the upgrade was refused',
          fix: handOver(
            byApp
              ? 'Look at path, origin and token of the handshake: the application decides.'
              : 'Declare the port as http (not http2 or grpc), and look for an EnvoyFilter that takes upgrades away.',
            destinationName(situation),
          ),
          verify: tryAgain(situation, '101 to a handshake with Upgrade: websocket'),
        }
      },
    ),
})
