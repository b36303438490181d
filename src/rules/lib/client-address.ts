import { isInBlock, parseIp, parseIpBlock } from '../../mesh/authorize/ip-blocks.ts'
import type { AuthzRequest } from '../../mesh/authorize.ts'
import type { Decider } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import type { Situation } from '../../situation/situation.ts'
import { gatewayServices } from './gateway-service.ts'
import type { Refusal } from './refusal.ts'
import { fieldsOf, type RawRule } from './rule-fields.ts'

/** The address that a rule was compared with is not the client's. */
export interface MistakenAddress {
  readonly remark: string
  /** The gateway's Service, where that puts a node's address in place of the client's. */
  readonly service: Stored | null
  /** Set where it may as well be the client's own. */
  readonly doubt: Decider | null
}

export function mistakenAddress(
  situation: Situation,
  refusal: Pick<Refusal, 'at' | 'line'>,
  rule: RawRule,
  request: AuthzRequest,
  passes: (changed: AuthzRequest) => boolean,
): MistakenAddress | null {
  return forwarded(refusal, request, passes) ?? masked(situation, refusal, rule, request)
}

/** The address the rule means stands in X-Forwarded-For; what the rule is compared with is somebody in between. */
function forwarded(
  { line }: Pick<Refusal, 'line'>,
  request: AuthzRequest,
  passes: (changed: AuthzRequest) => boolean,
): MistakenAddress | null {
  const fitting = forwardedFor(line).find(
    (ip) => (ip !== request.sourceIp || ip !== request.remoteIp) && passes({ ...request, sourceIp: ip, remoteIp: ip }),
  )
  if (fitting === undefined) return null
  const taken = request.remoteIp && request.remoteIp !== request.sourceIp ? ` and ${request.remoteIp}` : ''
  return {
    remark: `X-Forwarded-For holds ${fitting}, which the rule means; it is compared with ${request.sourceIp ?? 'the direct peer'}${taken}`,
    service: null,
    doubt: null,
  }
}

/**
 * A Service that may send a connection on to another node puts the node's address in place of the client's. A rule about addresses of the
 * outside then never sees one.
 */
function masked(
  situation: Situation,
  { at, line }: Pick<Refusal, 'at' | 'line'>,
  rule: RawRule,
  { sourceIp }: AuthzRequest,
): MistakenAddress | null {
  if (at !== 'gateway' || sourceIp === undefined || !isPrivate(sourceIp) || situation.podByIp(sourceIp)) return null
  if (forwardedFor(line).some((ip) => ip !== sourceIp)) return null
  const wanted = fieldsOf(rule).flatMap(({ kind, values }) => (kind === 'address' ? values : []))
  if (wanted.length === 0 || wanted.some(isPrivate)) return null
  const services = gatewayServices(situation)
  const [service] = services
  if (!service || !services.every(({ object }) => masksClients(object.spec))) return null
  const { name, namespace } = service.object.metadata
  return {
    remark: `it is compared with ${sourceIp}, a private address: Service ${namespace}/${name} has externalTrafficPolicy Cluster, so a node puts its own address in place of the client's`,
    service,
    // Of a node only a node's address tells: a private one may be that of a client inside.
    doubt: isNode(situation, sourceIp)
      ? null
      : {
          command: 'kubectl get nodes -o wide',
          why: `if ${sourceIp} is the address of a node, or of its bridge to the pods, the client's own is hidden; else the client has this address, and the list lacks it`,
        },
  }
}

function isNode({ pods }: Situation, address: string): boolean {
  return pods.some(({ object: { status } }) => {
    const ips: readonly { ip?: string }[] = Array.isArray(status?.hostIPs) ? status.hostIPs : []
    return status?.hostIP === address || ips.some(({ ip }) => ip === address)
  })
}

function masksClients(spec: { readonly type?: string; readonly externalTrafficPolicy?: string } | undefined): boolean {
  return (spec?.type === 'LoadBalancer' || spec?.type === 'NodePort') && spec.externalTrafficPolicy !== 'Local'
}

function forwardedFor(line: Refusal['line']): readonly string[] {
  return (line?.record.forwardedFor ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
}

const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', 'fc00::/7']
  .map(parseIpBlock)
  .filter((block) => block !== null)

function isPrivate(value: string): boolean {
  const address = parseIp(value.split('/', 1)[0] ?? '')
  return address !== null && privateBlocks.some((block) => isInBlock(address, block))
}
