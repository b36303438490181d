import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { traceCall } from '../../situation/tracing.ts'
import { defineRule } from '../define-rule.ts'
import { dialledPort, exposedPorts, gatewayServices } from '../lib/gateway-service.ts'
import { hostOfCall, istioGateways, nameOfStored, serversOf } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** Nothing takes the port the caller dials: the Service has no such port, or no server of a Gateway opens it. */
export default defineRule({
  code: 'gateway-port-not-exposed',
  layer: 'gateway-edge',
  severity: 'error',
  explains: ['tls', 'timeout', 'reset', 'unknown'],
  title: 'The gateway does not open the port that callers dial',
  why: 'A port is open at a gateway when its Service has it and a Gateway has a server on it whose selector fits the gateway’s pods. Where one of the two is missing, connections are refused or time out before any handshake.',
  needs: [
    ['server.config', 'gateway.published'],
    ['gateway.config', 'gateway.pods', 'gateway.listeners'],
  ],
  yieldsTo: ['proxy-nack-error', 'proxy-stale-or-disconnected'],
  seeAlso: ['https://istio.io/latest/docs/reference/config/analysis/ist0162/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const port = dialledPort(situation)
    if (port === null || situation.linesAt('gateway').length > 0) return quiet
    const unselected = istioGateways(situation).find((gateway) => selectsNothing(situation, gateway))
    if (unselected && situation.gateway?.pods.length === 0) return fired(withoutPods(situation, unselected, port))
    const services = gatewayServices(situation)
    const open = services.find((service) => exposedPorts(service).some((one) => one.port === port))
    const servers = istioGateways(situation)
      .flatMap(serversOf)
      .filter((server) => server.port === port)
    if (services.length > 0 && !open) return fired(notInService(situation, services, port, servers.length > 0))
    const traced = traceCall(situation, 'gateway')
    const listener = traced?.trace.steps.find(({ kind }) => kind === 'listener')
    if (open && listener && !listener.broken)
      return ruledOut(
        `the gateway listens on port ${port}`,
        quoteObject(open, `Service ${nameOfStored(open)} has port ${port}`, open.object.spec?.ports),
      )
    if (open && listener?.broken && traced)
      return fired(
        notListening(
          situation,
          open,
          port,
          quote(traced.entries.listeners ?? '', 'the gateway has no such listener', listener.broken.why),
          servers.length > 0,
        ),
      )
    return quiet
  },
})

function selectsNothing({ pods, store }: Situation, { object }: Stored): boolean {
  const selector = object.spec?.selector
  return (
    selector !== undefined &&
    !pods.some((pod) => matchesLabels(selector, pod.labels)) &&
    store.readable('Pod', object.metadata.namespace ?? 'default') === 'yes'
  )
}

function finding(
  situation: Situation,
  code: string,
  test: (message: string, args: Readonly<Record<string, string>>) => boolean,
) {
  const found = situation.analyze.find((one) => one.code === code && test(one.message, one.args))
  return found ? [quote(found.entry, 'istioctl analyze says so', `${found.code} ${found.message}`)] : []
}

function withoutPods(situation: Situation, gateway: Stored, port: number): Hit {
  const said = finding(situation, 'IST0101', (_, args) => args.reftype === 'selector')
  const name = nameOfStored(gateway)
  return {
    ...common(situation, port),
    subject: `Gateway ${name}`,
    title: `The selector of Gateway ${name} fits no pod, so nothing opens port ${port}`,
    statement: `Gateway ${name} is for pods with ${JSON.stringify(gateway.object.spec?.selector)}, and no pod of the gateways that were read has these labels. Its servers are opened nowhere.`,
    certainty: said.length > 0 ? 'proven' : 'likely',
    supporting: [quoteObject(gateway, `selector of Gateway ${name}`, gateway.object.spec?.selector), ...said],
    fix: {
      statement: `Write the labels that the gateway's pods have into spec.selector of Gateway ${name}; its servers stay as they are.`,
      commands: [
        `kubectl -n ${gateway.object.metadata.namespace} edit gateways.networking.istio.io ${quoted(gateway.object.metadata.name)}`,
      ],
      scope: `the servers of Gateway ${name}`,
      risk: 'its hosts and ports are opened at every pod that the labels fit',
      undo: 'write the old selector again',
    },
    wouldDecide:
      said.length > 0
        ? null
        : {
            command: `istioctl analyze -n ${gateway.object.metadata.namespace}`,
            why: 'IST0101 for the selector proves it',
          },
  }
}

function notInService(situation: Situation, services: readonly Stored[], port: number, served: boolean): Hit {
  const [service] = services
  const name = service ? nameOfStored(service) : ''
  const said = finding(situation, 'IST0162', (message) => message.includes(String(port)))
  const seen = situation.pasted.curl?.errorCode === 7 || situation.pasted.curl?.errorCode === 28
  return {
    ...common(situation, port),
    subject: `Service ${name}`,
    title: `Service ${name} of the gateway has no port ${port}, so callers cannot connect`,
    statement: `The gateway is reached through Service ${name}, which has ports ${
      service
        ? exposedPorts(service)
            .map((one) => one.port)
            .join(', ')
        : ''
    } and no ${port}.${
      served
        ? ` A Gateway has a server on ${port}, which nobody can reach.`
        : ` No Gateway has a server on ${port} either.`
    }`,
    certainty: said.length > 0 || (situation.pasted.curl?.port === port && seen) ? 'proven' : 'likely',
    supporting: [
      ...services.map((one) => quoteObject(one, `ports of Service ${nameOfStored(one)}`, one.object.spec?.ports)),
      ...said,
    ],
    fix: {
      statement: `Add port ${port} to Service ${name}${served ? '' : ` and a server on ${port} to the Gateway`}; its other ports stay as they are. If callers mean another port, correct the callers.`,
      commands: service
        ? [`kubectl -n ${service.object.metadata.namespace} edit service ${quoted(service.object.metadata.name)}`]
        : [],
      scope: `port ${port} of the gateway`,
      risk: 'the port is opened to everybody who reaches the load balancer',
      undo: 'take the port out again',
    },
    wouldDecide: {
      command: `kubectl get service -n ${service?.object.metadata.namespace} ${service?.object.metadata.name} -o yaml`,
      why: `it shows the ports that are open: callers who come through this Service need ${port} among them; those of another load balancer do not`,
    },
  }
}

function notListening(
  situation: Situation,
  service: Stored,
  port: number,
  sign: ReturnType<typeof quote>,
  served: boolean,
): Hit {
  const target = exposedPorts(service).find((one) => one.port === port)?.targetPort
  return {
    ...common(situation, port),
    subject: `port ${port} of the gateway`,
    title: `The gateway has no listener for port ${port}, so connections to it are refused`,
    statement: `Service ${nameOfStored(service)} sends port ${port} to ${target} of the gateway's pods, and the gateway has no listener there${
      served ? ', although a Gateway has a server on it' : ': no Gateway has a server on that port'
    }.`,
    certainty: served ? 'likely' : 'proven',
    supporting: [sign, quoteObject(service, `ports of Service ${nameOfStored(service)}`, service.object.spec?.ports)],
    fix: {
      statement: `Add a server on port ${port} for this host to the Gateway; its other servers stay as they are.`,
      commands: istioGateways(situation)
        .slice(0, 1)
        .map(
          ({ object }) =>
            `kubectl -n ${object.metadata.namespace} edit gateways.networking.istio.io ${quoted(object.metadata.name)}`,
        ),
      scope: `port ${port} of the gateway`,
      risk: 'none for the other ports',
      undo: 'take the server out again',
    },
    wouldDecide: served
      ? {
          command: 'istioctl proxy-status',
          why: 'SYNCED means that the gateway holds its current listeners; STALE, or no row, that it does not',
        }
      : null,
  }
}

function common(situation: Situation, port: number): Pick<Hit, 'contradicting' | 'verify' | 'about'> {
  const host = hostOfCall(situation, null) ?? 'HOST'
  return {
    contradicting: [],
    verify: tryThroughGateway(situation, port === 443 || port === 80 ? host : `${host}:${port}`, 'a connection'),
    about: 'call',
  }
}
