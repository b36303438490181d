import type { KubeObject } from '../model/kube.ts'
import { isExportedTo, resolveHost } from './hosts.ts'
import { objectsIn, textsIn } from './loose-lists.ts'

// biome-ignore lint/suspicious/noExplicitAny: routes and matches of a VirtualService as written, read field by field
export type Written = any

/** A VirtualService with its delegates merged in and its hosts completed. */
export interface CompleteVirtualService {
  readonly object: KubeObject
  readonly hosts: readonly string[]
  readonly http: readonly HttpRoute[]
  /** Routes that vanished while merging, with the reason; the rest of the object still counts. */
  readonly dropped: readonly { readonly route: string; readonly why: string }[]
}

/** One entry of `http`. A short destination name belongs to the namespace of the object that wrote it. */
export interface HttpRoute {
  readonly spec: Written
  readonly from: KubeObject
}

interface DelegateOptions {
  readonly domain?: string
  readonly defaultVirtualServiceExportTo?: readonly string[]
}

/** `null` for delegates themselves: without hosts they only count inside another object. */
export function completeVirtualService(
  root: KubeObject,
  all: readonly KubeObject[],
  options: DelegateOptions,
): CompleteVirtualService | null {
  const namespace = root.metadata.namespace ?? ''
  const hosts = textsIn(root.spec?.hosts).map((host) => resolveHost(String(host), namespace, options.domain))
  if (hosts.length === 0) return null
  const http: HttpRoute[] = []
  const dropped: { route: string; why: string }[] = []
  for (const route of objectsIn(root.spec?.http)) {
    if (!route?.delegate) {
      http.push({ spec: route, from: root })
      continue
    }
    const found = delegateOf(route.delegate, root, all, options)
    if (typeof found === 'string') {
      dropped.push({ route: String(route.name ?? ''), why: found })
      continue
    }
    for (const child of objectsIn(found.spec?.http)) {
      const merged = mergeRoute(route, child)
      if (merged) http.push({ spec: merged, from: found })
      else
        dropped.push({
          route: [route.name, child?.name].filter(Boolean).join('-'),
          why: `a match of the delegate ${found.metadata.namespace}/${found.metadata.name} is not inside the root’s`,
        })
    }
  }
  return { object: root, hosts, http, dropped }
}

function delegateOf(
  reference: Written,
  root: KubeObject,
  all: readonly KubeObject[],
  options: DelegateOptions,
): KubeObject | string {
  const namespace = String(reference.namespace || root.metadata.namespace)
  const label = `${namespace}/${reference.name}`
  const target = all.find(
    ({ kind, metadata }) =>
      kind === 'VirtualService' && metadata.name === reference.name && metadata.namespace === namespace,
  )
  if (!target) return `delegate ${label} does not exist`
  if (textsIn(target.spec?.hosts).length > 0) return `delegate ${label} has hosts of its own`
  const visible = isExportedTo(
    target.spec?.exportTo,
    namespace,
    root.metadata.namespace ?? '',
    options.defaultVirtualServiceExportTo,
  )
  return visible ? target : `delegate ${label} is not exported to ${root.metadata.namespace}`
}

/** Fields that a delegate's route takes from the root when it has none. */
const inherited = [
  'rewrite',
  'directResponse',
  'timeout',
  'retries',
  'fault',
  'mirror',
  'mirrorPercent',
  'mirrorPercentage',
  'corsPolicy',
  'mirrors',
  'headers',
]

function mergeRoute(root: Written, child: Written): Written | null {
  const match = mergeMatches(objectsIn(root.match), objectsIn(child?.match))
  if (match === null) return null
  const merged = { ...child, match }
  for (const field of inherited)
    if (merged[field] === undefined && root[field] !== undefined) merged[field] = root[field]
  merged.name = root.name && child.name ? `${root.name}-${child.name}` : child.name || root.name
  return merged
}

/** Every match of the delegate has to fit into one of the root; one that fits nowhere drops the whole route. */
function mergeMatches(root: readonly Written[], child: readonly Written[]): readonly Written[] | null {
  if (root.length === 0) return child
  if (child.length === 0) return root
  const out: Written[] = []
  for (const inner of child) {
    const fitting = root.filter((outer) => !conflicts(outer, inner))
    if (fitting.length === 0) return null
    out.push(...fitting.map((outer) => mergeMatch(outer, inner)))
  }
  return out
}

function mergeMatch(root: Written, child: Written): Written {
  const merged = { ...child }
  for (const field of ['uri', 'scheme', 'method', 'authority', 'port', 'sourceNamespace', 'statPrefix'])
    if (!merged[field] && root[field] !== undefined) merged[field] = root[field]
  for (const field of ['headers', 'withoutHeaders', 'queryParams', 'sourceLabels'])
    if (root[field] || child[field]) merged[field] = { ...root[field], ...child[field] }
  if (textsIn(child.gateways).length === 0 && root.gateways !== undefined) merged.gateways = root.gateways
  merged.name = root.name && child.name ? `${root.name}-${child.name}` : child.name || root.name
  return merged
}

function conflicts(root: Written, child: Written): boolean {
  if (['uri', 'scheme', 'method', 'authority'].some((field) => textsConflict(root[field], child[field]))) return true
  for (const field of ['headers', 'withoutHeaders', 'queryParams'])
    for (const [key, value] of Object.entries(child[field] ?? {}))
      if (textsConflict(root[field]?.[key], value)) return true
  if ((root.ignoreUriCase === true) !== (child.ignoreUriCase === true)) return true
  if (root.port && child.port && root.port !== child.port) return true
  // A root that asks for a namespace wants every match of the delegate to ask for the same.
  if (root.sourceNamespace && child.sourceNamespace !== root.sourceNamespace) return true
  for (const [key, value] of Object.entries(child.sourceLabels ?? {}))
    if (root.sourceLabels?.[key] !== undefined && root.sourceLabels[key] !== value) return true
  const outer = textsIn(root.gateways)
  const inner = textsIn(child.gateways)
  return outer.length > 0 && inner.length > 0 && inner.some((gateway) => !outer.includes(gateway))
}

function textsConflict(root: Written, child: Written): boolean {
  if (!root || !child) return false
  const says = (matcher: Written) => Boolean(matcher.regex || matcher.prefix || matcher.exact)
  if ((root.regex && says(child)) || (child.regex && says(root))) return true
  if (root.exact) return Boolean(child.prefix) || child.exact !== root.exact
  if (root.prefix) {
    if (child.prefix) return !String(child.prefix).startsWith(root.prefix)
    if (child.exact) return !String(child.exact).startsWith(root.prefix)
  }
  return true
}
