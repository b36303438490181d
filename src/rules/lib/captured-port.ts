import { parseServiceHost } from '../../mesh/hosts.ts'
import { parseClusterName } from '../../mesh/names.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { traceCall } from '../../situation/tracing.ts'
import { quoteStep, share, stepOf } from './front.ts'

/** A listener of the caller's proxy takes this call for somebody else, because it takes the whole port. */
export interface CapturedPort {
  /** The cluster's host, when the listener hands connections on as they are. */
  readonly host: string | null
  readonly port: number
  /** `http`: the listener parses what arrives as HTTP. */
  readonly as: 'http' | 'tcp'
  /** The Service or ServiceEntry behind that host, where it was read. */
  readonly owner: Stored | null
  readonly line: Line | null
  readonly quotes: readonly Quote[]
}

/** Null where the listener's choice is the called host itself, an unknown one, or could not be followed. */
export function capturedPort(situation: Situation): CapturedPort | null {
  const traced = traceCall(situation, 'client')
  const listener = stepOf(traced, 'listener')
  const { server } = situation
  const line =
    lineElsewhere(situation) ?? situation.failing.at(-1)?.client ?? situation.linesAt('client').at(-1) ?? null
  const port = server.portNumber
  if (port === null) return null
  const logged = line?.record.upstreamCluster ?? null
  const route = stepOf(traced, 'route')
  const names = logged !== null ? [logged] : (traced?.trace.clusters.map(({ name }) => name) ?? [])
  const [first] = names.map(parseClusterName)
  const called = server.host ?? ''
  const stranger =
    first && first.role === 'outbound' && first.host !== '' && !sameHost(first.host, called) ? first : null
  // A route sends requests elsewhere on purpose; a plain TCP chain does it by port alone.
  const byRoute = route?.object !== null && route?.object !== undefined
  const isTls = port === 443 || situation.symptom === 'tls'
  const isTcp = server.port?.protocol === 'tcp' || server.port?.protocol === 'tls' || isTls
  const parsesHttp = listener !== null && route !== null && isTcp
  if (!(stranger && !byRoute && line?.record.kind !== 'http') && !parsesHttp) return null
  return {
    host: stranger?.host ?? null,
    port,
    as: stranger ? 'tcp' : 'http',
    owner: stranger ? ownerOf(situation, stranger.host) : null,
    line,
    quotes: [
      ...(line ? [quoteLine(line, `where the proxy sent it (${share(situation, [line])})`)] : []),
      ...(traced && listener
        ? quoteStep(traced, listener, `the listener that takes port ${port}`, {
            listener: listener.name,
            cluster: names[0] ?? null,
          })
        : []),
    ],
  }
}

/** The latest connection that went to somebody else's cluster. */
function lineElsewhere({ failing, server }: Situation): Line | null {
  return (
    failing.findLast(({ client }) => {
      const cluster = client?.record.upstreamCluster ? parseClusterName(client.record.upstreamCluster) : null
      return client?.record.kind === 'tcp' && cluster?.role === 'outbound' && !sameHost(cluster.host, server.host ?? '')
    })?.client ?? null
  )
}

function sameHost(cluster: string, called: string): boolean {
  if (cluster === called) return true
  return cluster.startsWith('*.') && called.endsWith(cluster.slice(1))
}

function ownerOf({ store }: Situation, host: string): Stored | null {
  const service = parseServiceHost(host)
  if (service) return store.get('Service', service.namespace, service.name)
  return (
    store.list('ServiceEntry').find(({ object }) => (object.spec?.hosts ?? []).includes(host)) ??
    store.list('Service').find(({ object }) => object.spec?.externalName === host) ??
    null
  )
}

export function quoteCaptor({ owner }: CapturedPort): readonly Quote[] {
  return owner
    ? [
        quoteObject(owner, 'who declares the port', {
          hosts: owner.object.spec?.hosts,
          type: owner.object.spec?.type,
          ports: owner.object.spec?.ports,
          addresses: owner.object.spec?.addresses,
        }),
      ]
    : []
}
