import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { dialledPort } from '../lib/gateway-service.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** What arrived at an HTTP port was no HTTP, mostly TLS. */
export default defineRule({
  code: 'https-to-http-port',
  layer: 'protocol',
  severity: 'error',
  explains: ['400', 'tls', 'reset'],
  title: 'Something that is no HTTP arrives at an HTTP port',
  why: 'A port that is declared as HTTP is parsed as HTTP. TLS, or any other protocol, breaks the parser, and the proxy answers 400 or closes.',
  needs: [anyLog],
  yieldsTo: [
    'dr-mutual-to-nonmesh',
    'grpc-on-http1-port',
    'header-too-large-431',
    'listener-conflict-same-port',
    'egress-443-captured-by-unrelated-service',
  ],
  check: (situation) =>
    decidedByLine(
      situation,
      // Where the caller's own proxy spoke last, its lines say why: a TLS mode that does not fit is another rule's.
      (line, where) =>
        /^http1\.(?:codec_error|invalid_|https_url)/.test(line.record.details ?? '') &&
        line.record.method === null &&
        (where !== 'server' || situation.client.pod === null || !situation.client.pod.hasEnvoy),
      'no line speaks of something that is no HTTP',
      ({ who, often, where }) => {
        const caller = where === 'gateway' ? 'The caller' : callerName(situation)
        const atGateway = where === 'gateway'
        const port = (atGateway ? dialledPort(situation) : situation.server.portNumber) ?? 'of the call'
        const to = atGateway
          ? `a plain HTTP port of ${who.toLowerCase()}`
          : `${destinationName(situation)}, which takes HTTP`
        return {
          subject: destinationName(situation),
          title: `${caller} sends something that is no HTTP to ${to}`,
          statement: `${who} could not parse ${often} as HTTP (400 DPE http1.codec_error) and saw neither method nor path. TLS towards a plain HTTP port looks like this.`,
          sign: 'what arrived was no HTTP',
          fix: handOver(
            atGateway
              ? `Let callers, and a load balancer before the gateway, use http:// on port ${port}, or send TLS to the port where a server of the Gateway ends it.`
              : `Let the caller use http:// on port ${port}, or, where the application itself does TLS there, name the port https or tls.`,
            `callers of ${destinationName(situation)} on this port`,
          ),
          verify: tryAgain(situation, 'an answer of the application to plain HTTP'),
        }
      },
    ),
})
