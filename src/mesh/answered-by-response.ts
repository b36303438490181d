import type { AnsweredByHop, Certainty } from '../model/answered-by.ts'
import type { SeenResponse } from './answered-by.ts'

export interface Guess {
  readonly hop: AnsweredByHop
  readonly certainty: Certainty
  readonly because: string
}

interface Surroundings {
  readonly clientHasProxy?: boolean | undefined
  readonly serverHasProxy?: boolean | undefined
  readonly throughGateway?: boolean | undefined
  readonly serverIsExternal?: boolean | undefined
  readonly ztunnelLines?: readonly unknown[] | undefined
  /** A log line has already shown that the caller's side only passed the answer on. */
  readonly upstreamAnswered?: boolean
}

/** Bodies that only Envoy writes. An application may imitate them, so alone they make it likely, not proven. */
const proxyBodies: readonly RegExp[] = [
  /^RBAC: access denied\s*$/,
  /^Jwt (is|not|issuer|verification|header|payload)\b/,
  /^Jwks /,
  /^Audiences in Jwt are not allowed\s*$/,
  /^no healthy upstream\s*$/,
  /^upstream connect error or disconnect\/reset before headers/,
  /^upstream request timeout\s*$/,
  /^fault filter abort\s*$/,
  /^local_rate_limited\s*$/,
  /^envoy overloaded\s*$/,
  /^stream timeout\s*$/,
]

export function isProxyBody(body: string | null): boolean {
  return body !== null && proxyBodies.some((pattern) => pattern.test(body.trim()))
}

/** Who answered, by response headers and body alone: `server` tells which proxy touched it last, the upstream time whether it was passed on. */
export function hopByResponse(response: SeenResponse, around: Surroundings): Guess | null {
  const server = response.headers.server?.toLowerCase() ?? null
  const upstreamTime = response.headers['x-envoy-upstream-service-time'] !== undefined
  const passedOn = upstreamTime || around.upstreamAnswered === true
  const proxyBody = isProxyBody(response.body)
  if (passedOn) return behindTheFirstProxy(response, around, server, proxyBody)
  if (server === 'envoy') {
    if (around.clientHasProxy === false)
      return {
        hop: 'external',
        certainty: 'possible',
        because: 'an Envoy answered ("server: envoy"), and the caller has no proxy of its own: one outside this mesh',
      }
    return {
      hop: 'client-proxy',
      certainty: 'likely',
      because:
        'the response says "server: envoy" and carries no x-envoy-upstream-service-time: the caller’s own proxy made it',
    }
  }
  if (server === 'istio-envoy') return madeByIstioEnvoy(around)
  if (proxyBody)
    return {
      hop: 'unknown',
      certainty: 'possible',
      because: `the body "${shorten(response.body ?? '')}" is one that proxies write, but no header says which proxy`,
    }
  // A gateway writes its own name over the application's: another name was put there by what stands before it.
  if (around.throughGateway && server !== null)
    return (response.status ?? 0) >= 500
      ? {
          hop: 'external',
          certainty: 'likely',
          because: `the gateway would have written "server: istio-envoy", and the response says "server: ${response.headers.server}": what stands before the gateway made it`,
        }
      : {
          hop: 'unknown',
          certainty: 'possible',
          because: `the response says "server: ${response.headers.server}", which is not the gateway's own name: what stands before the gateway made it, or renamed it`,
        }
  if (server !== null || (response.status !== null && response.status < 400))
    return around.serverIsExternal
      ? { hop: 'external', certainty: 'likely', because: 'nothing in the response was written by a mesh proxy' }
      : {
          hop: 'app',
          certainty: 'likely',
          because: `no HTTP proxy of the mesh touched the response${server === null ? '' : ` ("server: ${response.headers.server}" is the application’s)`}`,
        }
  return null
}

function behindTheFirstProxy(
  response: SeenResponse,
  around: Surroundings,
  server: string | null,
  proxyBody: boolean,
): Guess {
  const shown = `"${shorten(response.body ?? '')}"`
  if (proxyBody) {
    if (around.serverHasProxy === false)
      return {
        hop: 'unknown',
        certainty: 'possible',
        because: `the body ${shown} is one that proxies write, yet the server has none: look for a waypoint or gateway on the way`,
      }
    return {
      hop:
        around.throughGateway && server === 'istio-envoy' && around.serverHasProxy === undefined
          ? 'unknown'
          : 'server-proxy',
      certainty: 'likely',
      because: `the answer came from behind the first proxy, and its body ${shown} is one that a proxy writes: the server’s proxy, or a waypoint where there is one`,
    }
  }
  if (response.body !== null && response.body.trim() !== '')
    return {
      hop: around.serverIsExternal ? 'external' : 'app',
      certainty: 'likely',
      because: 'the answer came from behind the first proxy, and its body is none that proxies write',
    }
  if (response.status !== null && response.status < 400)
    return {
      hop: around.serverIsExternal ? 'external' : 'app',
      certainty: 'likely',
      because: 'the answer came from behind the first proxy and is a success',
    }
  return {
    hop: 'unknown',
    certainty: 'possible',
    because:
      'the answer came from behind the first proxy, and without a body it may be the server’s proxy’s or the application’s',
  }
}

function madeByIstioEnvoy(around: Surroundings): Guess {
  const seen = 'the response says "server: istio-envoy" and was not passed on from behind'
  if (around.throughGateway) return { hop: 'gateway', certainty: 'likely', because: `${seen}: the gateway made it` }
  if ((around.ztunnelLines?.length ?? 0) > 0)
    return { hop: 'waypoint', certainty: 'likely', because: `${seen}; in ambient that is a waypoint` }
  if (around.clientHasProxy === false && around.serverHasProxy)
    return {
      hop: 'server-proxy',
      certainty: 'likely',
      because: `${seen}; the caller has no proxy, so the server’s proxy made it`,
    }
  return {
    hop: 'unknown',
    certainty: 'possible',
    because: `${seen}: a gateway, a waypoint, or the server’s proxy towards a caller without one`,
  }
}

/** Who ended the connection, by the caller's transport error alone. Never more than likely. */
export function hopByTransportError(error: number | string, around: Surroundings): Guess | null {
  const code = typeof error === 'number' ? error : curlCode(error)
  switch (code) {
    case 6:
      return { hop: 'nobody', certainty: 'likely', because: 'the name did not resolve, so nothing was sent (curl 6)' }
    case 7:
      return { hop: 'nobody', certainty: 'likely', because: 'no connection could be made, so nobody answered (curl 7)' }
    case 28:
      return {
        hop: 'nobody',
        certainty: 'likely',
        because: 'the caller gave up waiting; nobody answered in time (curl 28)',
      }
    case 35:
      if (around.throughGateway)
        return {
          hop: 'gateway',
          certainty: 'likely',
          because:
            'the TLS handshake at the gateway’s port broke (curl 35); for a missing credential or unknown server name the gateway writes no line',
        }
      return {
        hop: 'unknown',
        certainty: 'possible',
        because: 'the TLS handshake failed (curl 35); who ended it is not known',
      }
    case 52:
    case 55:
    case 56:
      return closedWithoutHttp(code, around)
    default:
      return null
  }
}

function closedWithoutHttp(code: number, around: Surroundings): Guess {
  const seen = `the connection was closed without an HTTP answer (curl ${code})`
  if ((around.ztunnelLines?.length ?? 0) > 0)
    return { hop: 'ztunnel', certainty: 'possible', because: `${seen}, which is how a ztunnel refuses` }
  if (around.throughGateway) return { hop: 'gateway', certainty: 'possible', because: `${seen} at the gateway’s port` }
  if (around.clientHasProxy === false && around.serverHasProxy)
    return {
      hop: 'server-proxy',
      certainty: 'likely',
      because: `${seen}, and the caller has no proxy: this is how a server’s proxy that insists on mutual TLS treats plaintext`,
    }
  if (around.serverHasProxy === false)
    return {
      hop: 'app',
      certainty: 'possible',
      because: `${seen}, and the server has no proxy that could have done it`,
    }
  return { hop: 'unknown', certainty: 'possible', because: seen }
}

function curlCode(message: string): number | null {
  const number = /curl:?\s*\(?(\d+)\)?/i.exec(message)?.[1] ?? /^\s*(\d+)\s*$/.exec(message)?.[1]
  if (number !== undefined) return Number(number)
  if (/could not resolve/i.test(message)) return 6
  if (/failed to connect|connection refused/i.test(message)) return 7
  if (/timed out/i.test(message)) return 28
  if (/ssl_connect|handshake|ssl_error/i.test(message)) return 35
  if (/empty reply/i.test(message)) return 52
  if (/recv failure|reset by peer/i.test(message)) return 56
  return null
}

function shorten(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  return line.length > 60 ? `${line.slice(0, 60)}…` : line
}
