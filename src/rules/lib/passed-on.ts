import { attachment } from '../../mesh/policy-attachment.ts'
import type { Certainty } from '../../model/answered-by.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Decider } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { policiesReadable, workloadOf } from '../../situation/security.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { serverLogDecides } from './policy-fix.ts'
import { rbacBodyLength } from './unlogged-refusal.ts'
import { destinationName } from './words.ts'

/** A status that the application gave, and how sure that is. */
export interface AppAnswer {
  readonly who: string
  readonly because: string
  readonly certainty: Certainty
  readonly quotes: readonly Quote[]
  readonly wouldDecide: Decider | null
}

/**
 * The application's own answer: its proxy's line says via_upstream. The caller's line saying so proves nothing, unless nothing
 * of the mesh stands behind it.
 */
export function answeredByApp(situation: Situation, code: number): AppAnswer | null {
  const { sample, failing, server } = situation
  const name = destinationName(situation)
  for (const { server: line } of [...(sample ? [sample] : []), ...[...failing].reverse()]) {
    if (line?.record.code !== code || line.record.details !== 'via_upstream') continue
    return {
      who: `the application ${name}`,
      because: `the destination's proxy passed the request to ${line.record.upstreamHost ?? 'the application'} and passed its ${code} back`,
      certainty: 'proven',
      quotes: [quoteLine(line, `${code} via_upstream on the destination's own proxy: the application said it`)],
      wouldDecide: null,
    }
  }
  const front = sample?.server || sample?.waypoint ? null : (sample?.client ?? sample?.gateway ?? null)
  if (front?.record.code !== code || front.record.details !== 'via_upstream') return null
  const passed = quoteLine(front, `${code} via_upstream: whoever is next on the way said it`)
  if (server.external)
    return {
      who: `${name}, outside the mesh,`,
      because: `the last proxy of the mesh passed the request on to ${front.record.upstreamHost ?? name} and got ${code} back`,
      certainty: 'likely',
      quotes: [passed],
      wouldDecide: null,
    }
  const bare = server.pods.length > 0 && server.pods.every(({ proxy }) => proxy === 'none')
  if (situation.waypoint) return null
  if (!bare) return code === 403 ? byLength(situation, front, passed) : null
  return {
    who: `the application ${name}`,
    because: `the caller's proxy got ${code} back, and no pod of ${name} has a proxy that could have said it`,
    certainty: 'likely',
    quotes: [
      passed,
      ...server.pods.slice(0, 1).map((pod) =>
        quoteObject(
          pod,
          `${pod.name} has no proxy`,
          pod.object.spec?.containers?.map((container: { name: string }) => container.name),
        ),
      ),
    ],
    wouldDecide: serverLogDecides(situation),
  }
}

/** Proxies refuse with bodies of known lengths. Where none of them fits, and no authorizer could have written it, the application did. */
function byLength(situation: Situation, front: Line, passed: Quote): AppAnswer | null {
  const { bytesSent, method } = front.record
  const { pod } = situation.server
  if (!pod || bytesSent === null || bytesSent === rbacBodyLength || method === 'HEAD') return null
  if (!policiesReadable(situation, 'AuthorizationPolicy', pod.namespace)) return null
  if (!policiesReadable(situation, 'RequestAuthentication', pod.namespace)) return null
  const reaching = ['AuthorizationPolicy', 'RequestAuthentication']
    .flatMap((kind) => situation.store.list(kind))
    .filter(({ object }) => attachment(object, workloadOf(pod), situation.mesh).attaches !== false)
  const writesBodies = reaching.some(
    ({ object }) => object.kind === 'RequestAuthentication' || object.spec?.action === 'CUSTOM',
  )
  if (writesBodies) return null
  return {
    who: `the application ${destinationName(situation)}`,
    because: `the answer is ${bytesSent} bytes long, and a policy of the mesh refuses with ${rbacBodyLength}`,
    certainty: 'likely',
    quotes: [passed],
    wouldDecide: serverLogDecides(situation),
  }
}
