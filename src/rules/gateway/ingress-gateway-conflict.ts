import { fired, quiet } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { traceCall } from '../../situation/tracing.ts'
import { defineRule } from '../define-rule.ts'
import { tlsServers } from '../lib/gateway-credentials.ts'
import { hostOfCall, istioGateways, nameOfStored, serversFor, serversOf } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** Two Gateways want the same port, name or host, and istiod leaves one server out. */
export default defineRule({
  code: 'ingress-gateway-conflict',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', '404', 'reset'],
  title: 'A server of the Gateway is left out because another one has taken its place',
  why: 'Servers of all Gateways that select the same pods share the listeners. A TLS host that is there twice, a port name that is not unique, or HTTP and TCP on one port: istiod keeps the older server and skips the other, with a line in its own log only.',
  needs: [['mesh.istiodLog', 'server.analyze', 'gateway.analyze']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/analysis/ist0145/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const host = hostOfCall(situation, null)
    const servers = situation.symptom === 'tls' ? tlsServers(situation) : serversFor(situation, host)
    const names = new Set(servers.map(({ gateway }) => nameOfStored(gateway)))
    const skipped = situation.istiodLog
      .flatMap(({ data, entry }) => data.entries.map((said) => ({ said, entry })))
      .filter(({ said }) => said.kind === 'server-skipped' && said.resource !== null && names.has(said.resource))
    const findings = situation.analyze.filter(
      ({ code, origin }) => code === 'IST0145' && names.has(`${origin?.namespace ?? 'default'}/${origin?.name ?? ''}`),
    )
    const last = skipped.at(-1)
    const [finding] = findings
    const gateway = [...names].find(
      (name) => name === last?.said.resource || name === `${finding?.origin?.namespace}/${finding?.origin?.name}`,
    )
    const server = servers.find((one) => nameOfStored(one.gateway) === gateway)
    if (!server || (!last && !finding)) return quiet
    const traced = traceCall(situation, 'gateway')
    const works = traced !== null && traced.trace.outcome === 'forwarded'
    if (works) return quiet
    const broken = traced?.trace.steps.find((step) => step.broken)
    const other = istioGateways(situation)
      .flatMap(serversOf)
      .find((one) => one.gateway !== server.gateway && one.port === server.port)
    return fired({
      subject: `Gateway ${gateway}`,
      title: `A server of Gateway ${gateway} for ${host ?? 'this host'} is left out: ${last?.said.reason ?? finding?.message ?? 'it conflicts with another Gateway'}`,
      statement: `istiod builds one listener for all Gateways of these pods. It skipped a server of Gateway ${gateway} on port ${server.port ?? '?'}${
        other ? `, where Gateway ${nameOfStored(other.gateway)} has a server too` : ''
      }, so ${host ?? 'its host'} is not served.`,
      certainty: last && broken ? 'proven' : 'likely',
      supporting: [
        ...(last ? [quote(last.entry, 'istiod left the server out', last.said.raw, last.said.line)] : []),
        ...(finding ? [quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)] : []),
        quoteObject(server.gateway, `server ${server.index} of Gateway ${gateway}`, server.written),
        ...(other
          ? [
              quoteObject(
                other.gateway,
                `server ${other.index} of Gateway ${nameOfStored(other.gateway)}`,
                other.written,
              ),
            ]
          : []),
        ...(broken && traced?.entries.listeners
          ? [quote(traced.entries.listeners, 'what the gateway makes of this call', broken.broken?.why ?? null)]
          : []),
      ],
      contradicting: [],
      fix: {
        statement: `Give the port of this server a name of its own, or merge the two servers into one Gateway with both hosts; leave the other servers as they are.`,
        commands: [
          `kubectl -n ${server.gateway.object.metadata.namespace} edit gateways.networking.istio.io ${quoted(server.gateway.object.metadata.name)}`,
        ],
        scope: `port ${server.port ?? '?'} of the gateway`,
        risk: 'merging changes which VirtualServices bind to the server: compare their gateways before and after',
        undo: 'put the server back as it was',
      },
      verify: tryThroughGateway(
        situation,
        host ?? 'HOST',
        'a status, and no new line of istiod about a skipped server',
      ),
      wouldDecide:
        last && broken
          ? null
          : {
              command: `kubectl logs -n ${situation.given.istioNamespace} -l app=istiod --tail=2000`,
              why: 'a line "skipping server on gateway" proves it',
            },
      about: 'call',
    })
  },
})
