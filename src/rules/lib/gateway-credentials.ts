import type { IstiodEntry } from '../../../parsers/istiod-log.ts'
import type { ProxySecret } from '../../../parsers/proxy-config-secret.ts'
import type { Quote } from '../../model/evidence.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { type GatewayServer, hostOfCall, nameOfStored, selectsOurPods, serversFor } from './gateways.ts'

/** A server of a Gateway that should end TLS for this call, with what is known of its certificate. */
export interface ServedCredential {
  readonly server: GatewayServer
  readonly name: string
  /** A gateway pod that has it: Secrets are looked for in its namespace. */
  readonly pod: PodView
  /** At the proxy. `unread`: nobody could ask it. */
  readonly atProxy: 'active' | 'warming' | 'absent' | 'unread'
  readonly secretsEntry: string | null
  /** In the gateway's namespace. Null: Secrets could not be listed. */
  readonly exists: boolean | null
  readonly listEntry: string | null
}

/** Servers that end TLS for the name and port the caller used, each with its credential. */
export function servedCredentials(situation: Situation): readonly ServedCredential[] {
  const [pod] = situation.gateway?.pods ?? []
  if (!pod) return []
  return tlsServers(situation).flatMap((server) => {
    // CUSTOM credentials of a mutual server stand beside the certificate under the same name.
    if (server.credential === null) return []
    return [credentialOf(situation, server, server.credential)]
  })

  function credentialOf(of: Situation, server: GatewayServer, name: string): ServedCredential {
    const holder = of.gateway?.pods.find((one) => of.of('secrets', one) !== null) ?? pod!
    const secrets = of.of<readonly ProxySecret[]>('secrets', holder)
    const secret = secrets?.data.find((one) => one.name === secretName(name))
    const readable = of.store.readable('Secret', holder.namespace) === 'yes'
    return {
      server,
      name,
      pod: holder,
      atProxy:
        secrets === null
          ? 'unread'
          : secret
            ? secret.state === 'warming' || secret.kind === 'none'
              ? 'warming'
              : 'active'
            : 'absent',
      secretsEntry: secrets?.entry ?? null,
      exists: readable ? of.store.get('Secret', holder.namespace, name) !== null : null,
      listEntry: readable ? of.store.entryFor('Secret', holder.namespace) : null,
    }
  }
}

/** What the proxy calls the Secret that a Gateway names. */
export function secretName(credential: string): string {
  return credential.includes('://') ? credential : `kubernetes://${credential}`
}

export function tlsServers(situation: Situation): readonly GatewayServer[] {
  const host = hostOfCall(situation, null)
  const port = situation.hints.port
  const servers = serversFor(situation, host).filter(
    (server) => server.tlsMode !== null && selectsOurPods(situation, server.gateway),
  )
  const onPort = servers.filter((server) => port === null || server.port === port)
  return onPort.length > 0 ? onPort : servers
}

/** What istiod said about this credential: entries of its log, latest last. */
export function istiodOnCredential(
  { istiodLog }: Situation,
  { name, pod }: ServedCredential,
  kind: IstiodEntry['kind'],
): readonly { readonly entry: string; readonly said: IstiodEntry }[] {
  const bare = (resource: string | null) => resource?.replace(/^kubernetes(?:-gateway)?:\/\//, '') ?? null
  return istiodLog.flatMap(({ data, entry }) =>
    data.entries
      .filter(
        (said) =>
          said.kind === kind &&
          bare(said.resource) === name &&
          (said.proxy === null || said.proxy === `${pod.name}.${pod.namespace}`),
      )
      .map((said) => ({ entry, said })),
  )
}

export function quoteServer({ server }: ServedCredential): Quote {
  return quoteObject(
    server.gateway,
    `server ${server.index} of Gateway ${nameOfStored(server.gateway)} for this name`,
    server.written,
  )
}

export function quoteAtProxy({ pod, name, atProxy, secretsEntry }: ServedCredential): readonly Quote[] {
  if (secretsEntry === null) return []
  const state = {
    active: 'the gateway has the certificate',
    warming: 'the gateway waits for the certificate and has not got it',
    absent: 'the gateway has no such certificate',
    unread: '',
  }[atProxy]
  return [quote(secretsEntry, `${state} (${pod.name})`, `${secretName(name)} ${atProxy.toUpperCase()}`)]
}

export function quoteSaid(found: readonly { readonly entry: string; readonly said: IstiodEntry }[]): readonly Quote[] {
  return found.slice(-1).map(({ entry, said }) => quote(entry, 'istiod says so', said.raw, said.line))
}
