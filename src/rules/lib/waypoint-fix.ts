import type { Fix } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import type { Situation } from '../../situation/situation.ts'
import { quoted } from './words.ts'

/** Moves a policy with HTTP fields from ztunnel to a waypoint of the destination's Service. */
export function waypointFix({ server, waypoint }: Situation, policy: Stored): Fix {
  const { kind, metadata } = policy.object
  const { namespace = '', name } = metadata
  const service = server.service?.object.metadata.name ?? 'SERVICE'
  const where = server.namespace ?? namespace
  const ready = waypoint?.pods.some((pod) => pod.ready) ?? false
  const isThere = ready || (waypoint?.gateway ?? null) !== null
  const resource = kind === 'RequestAuthentication' ? 'requestauthentications' : 'authorizationpolicies'
  return {
    statement: `${
      isThere
        ? `Waypoint ${waypoint?.namespace}/${waypoint?.name} is there${ready ? '' : ' and has to be ready first'}: in`
        : `Deploy a waypoint in ${where}, bind Service ${service} to it with istio.io/use-waypoint, and in`
    } ${kind} ${namespace}/${name} write targetRefs to Service ${service} instead of the selector; keep its rules.`,
    commands: [
      ...(isThere
        ? []
        : [
            `istioctl waypoint apply -n ${where}`,
            `kubectl -n ${where} label service ${quoted(service)} istio.io/use-waypoint=waypoint`,
          ]),
      `kubectl -n ${namespace} edit ${resource}.security.istio.io ${quoted(name)}`,
    ],
    scope: `all callers of Service ${service} in the ambient mesh; calls to a pod's own address and callers with a sidecar pass the waypoint by`,
    risk: 'one more hop on the way; policies that ztunnel enforces for these pods then see the waypoint as the caller',
    undo: `put the selector back${isThere ? '' : ` and take the label istio.io/use-waypoint off Service ${service}`}`,
  }
}
