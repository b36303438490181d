/** Which connections a pod's annotations keep away from its own sidecar. */

const prefix = 'traffic.sidecar.istio.io/'

export interface CaptureVerdict {
  readonly captured: boolean
  /** The annotation that decided, when one did. */
  readonly annotation: string | null
}

/** Outbound: `port` and `address` as the application dials them, before any translation of a service address. */
export function outboundCapture(
  annotations: Readonly<Record<string, string>>,
  port: number,
  address: string,
): CaptureVerdict {
  const excludedPort = listOf(annotations, 'excludeOutboundPorts').includes(String(port))
  if (excludedPort) return { captured: false, annotation: `${prefix}excludeOutboundPorts` }
  if (listOf(annotations, 'excludeOutboundIPRanges').some((range) => inRange(address, range)))
    return { captured: false, annotation: `${prefix}excludeOutboundIPRanges` }
  const includedPorts = listOf(annotations, 'includeOutboundPorts')
  if (includedPorts.includes('*') || includedPorts.includes(String(port)))
    return { captured: true, annotation: `${prefix}includeOutboundPorts` }
  const ranges = annotations[`${prefix}includeOutboundIPRanges`]
  // Present and empty means: capture no address at all.
  if (ranges === undefined || ranges.trim() === '*') return { captured: true, annotation: null }
  const captured = listOf(annotations, 'includeOutboundIPRanges').some((range) => inRange(address, range))
  return { captured, annotation: `${prefix}includeOutboundIPRanges` }
}

/** Inbound: `port` is the container's port. */
export function inboundCapture(annotations: Readonly<Record<string, string>>, port: number): CaptureVerdict {
  if (listOf(annotations, 'excludeInboundPorts').includes(String(port)))
    return { captured: false, annotation: `${prefix}excludeInboundPorts` }
  const included = annotations[`${prefix}includeInboundPorts`]
  if (included === undefined || included.trim() === '*') return { captured: true, annotation: null }
  const captured = listOf(annotations, 'includeInboundPorts').includes(String(port))
  return { captured, annotation: `${prefix}includeInboundPorts` }
}

function listOf(annotations: Readonly<Record<string, string>>, name: string): readonly string[] {
  return (annotations[prefix + name] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

/** IPv4 in CIDR notation; other notations match as text only. */
export function inRange(address: string, range: string): boolean {
  const [base = '', bits] = range.split('/')
  const left = ipv4(address)
  const right = ipv4(base)
  if (left === null || right === null) return address === base
  const length = bits === undefined ? 32 : Number(bits)
  if (length <= 0) return true
  const size = 2 ** (32 - Math.min(length, 32))
  return Math.floor(left / size) === Math.floor(right / size)
}

function ipv4(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return null
  return match.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0)
}
