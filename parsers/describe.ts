import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import {
  readPeerAuthenticationDetail,
  readPodDetail,
  readRuleDetail,
  readServiceDetail,
  readVirtualServiceDetail,
} from './lib/describe-details.ts'
import {
  Describe,
  type DescribedRule,
  type DescribedService,
  type DescribedVirtualService,
} from './lib/describe-shape.ts'
import { readToolText, refuseErrorText, shorten } from './lib/tool-text.ts'

/**
 * `istioctl x describe pod` and `x describe service`: prose, read line by line. What it says is a hint, never the sole proof:
 * an ambient pod, for one, is reported as not part of the mesh. Lines that are not understood are kept in `other`.
 */
export default defineParser<Describe>({
  name: 'describe',
  schema: Describe,
  parse: (text) => {
    const { body, logLines } = readToolText(text)
    refuseErrorText(body, 'an error where a description was expected')
    const place: Place = {
      found: nothing([...logLines]),
      rule: null,
      portOfRule: null,
      virtualService: null,
      section: null,
      port: null,
    }
    const lines = body.split('\n').filter((line) => line.trim() !== '')
    let understood = 0
    for (const printed of lines) {
      const line = printed.trim()
      if (/^warning\b/i.test(line)) place.found.warnings.push(line)
      if (openSection(place, line) || readDetail(place, line, printed.startsWith(' '))) understood += 1
      else if (!/^-{3,}$/.test(line)) place.found.other.push(line)
    }
    if (understood === 0)
      throw new ParseError(lines[0] ? `no description: "${shorten(lines[0])}"` : 'nothing was printed')
    return place.found
  },
})

/** Where in the text we are, and what is being filled there. */
interface Place {
  readonly found: Describe
  section: 'mtls' | 'applied' | 'ingress' | null
  rule: DescribedRule | null
  /** Inside "Port Level Settings"; empty until a port was named. */
  portOfRule: string | null
  virtualService: DescribedVirtualService | null
  /** 1.22 and later print each port of a service with several, and its rules below. */
  port: number | null
}

/** Headings, and the lines that stand for a whole section. */
function openSection(place: Place, line: string): boolean {
  const { found } = place
  const [, heading, rest = ''] = /^(Pod|Service|VirtualService|DestinationRule): (.+)$/.exec(line) ?? []
  const podless = /^Service "([^"]*)" has no (Istio )?pods\.(?: +\((\d+) pods? in service\))?/.exec(line)
  if (heading === 'Pod')
    found.pod = { name: rest, revision: null, ports: [], notRunning: null, withoutSidecar: false, notReady: [] }
  else if (heading === 'Service') openService(place, rest)
  else if (podless) {
    const service = openService(place, podless[1]!)
    service.hasMeshPods = false
    service.hasPods = podless[2] !== undefined && podless[3] !== '0'
  } else if (heading === 'DestinationRule') return openRule(place, rest)
  else if (heading === 'VirtualService') return openVirtualService(place, rest)
  else if (line === 'Effective PeerAuthentication:') place.section = 'mtls'
  else if (line === 'Applied PeerAuthentication:') place.section = 'applied'
  else if (line.startsWith('Exposed on Ingress Gateway ')) {
    place.section = 'ingress'
    found.ingress.push({ gateway: line.slice('Exposed on Ingress Gateway '.length), virtualServices: [] })
  } else if (line.startsWith('Skipping Gateway information')) found.gatewaySkipped = line
  else return /^Pod \S+: no container "|^Use `istioctl kube-inject`|^WARNING: Proxy is stale/.test(line)
  if (place.section === 'mtls' || place.section === 'applied')
    found.peerAuthentication ??= { mode: null, ports: {}, applied: [] }
  return true
}

function openService(place: Place, name: string): DescribedService {
  const service: DescribedService = {
    name,
    ports: [],
    destinationRules: [],
    virtualServices: [],
    rbacPolicies: [],
    hasPods: null,
    hasMeshPods: null,
  }
  place.found.services.push(service)
  Object.assign(place, { section: null, rule: null, virtualService: null, port: null })
  return service
}

function openRule(place: Place, rest: string): boolean {
  const [, name, host] = /^(\S+) for "(.*)"$/.exec(rest) ?? []
  const service = place.found.services.at(-1)
  if (name === undefined || host === undefined || !service) return false
  const subsets = { matchesAnySubset: true, matchingSubsets: [], nonMatchingSubsets: [] }
  place.rule = { name, host, port: place.port, ...subsets, trafficPolicy: null, portLevel: {} }
  place.portOfRule = null
  place.virtualService = null
  service.destinationRules.push(place.rule)
  return true
}

function openVirtualService(place: Place, name: string): boolean {
  const lists = { routes: [], matches: [], faultInjection: [], unknownSubsets: [], warnings: [], notes: [] }
  const opened: DescribedVirtualService = { name, port: place.port, httpRoutes: null, ...lists }
  // A gateway with several addresses has them printed first, and what it exposes below all of them.
  const holders = place.section === 'ingress' ? place.found.ingress : place.found.services.slice(-1)
  for (const { virtualServices } of holders) virtualServices.push(opened)
  place.virtualService = opened
  place.rule = null
  return holders.length > 0
}

function readDetail(place: Place, line: string, isIndented: boolean): boolean {
  const { found, section, rule, virtualService } = place
  if (section === 'mtls' || section === 'applied')
    if (found.peerAuthentication && readPeerAuthenticationDetail(found.peerAuthentication, section === 'applied', line))
      return true
  if (rule && line === 'Port Level Settings:') {
    place.portOfRule = ''
    return true
  }
  const port = /^(\d+):$/.exec(line)?.[1]
  if (port !== undefined) {
    if (isIndented && rule && place.portOfRule !== null) place.portOfRule = port
    else Object.assign(place, { port: Number(port), rule: null, virtualService: null })
    return true
  }
  if (rule && readRuleDetail(rule, place.portOfRule, line)) return true
  if (virtualService && readVirtualServiceDetail(virtualService, line)) return true
  const service = found.services.at(-1)
  if (service && readServiceDetail(service, line)) return true
  if (found.pod) return readPodDetail(found.pod, line)
  // Below a service this is about one of its pods.
  return /^WARNING: Pod \S+ (?:Init )?Container \S+ NOT READY$/.test(line)
}

function nothing(logLines: string[]): Describe {
  return {
    pod: null,
    services: [],
    peerAuthentication: null,
    ingress: [],
    gatewaySkipped: null,
    warnings: [],
    other: [],
    logLines,
  }
}
