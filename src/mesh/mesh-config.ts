import type { LabelSelector } from './label-selector.ts'

/** What the mesh-wide configuration decides for the evaluators. Read from `data.mesh` of the istio ConfigMap, already parsed to an object. */
export interface MeshConfig {
  readonly rootNamespace: string
  readonly trustDomain: string
  readonly trustDomainAliases: readonly string[]
  readonly enableAutoMtls: boolean
  readonly outboundTrafficPolicy: string
  readonly pathNormalization: PathNormalization
  readonly accessLog: {
    /** Empty: access logging is not switched on here. */
    readonly file: string
    readonly format: string
    readonly encoding: string
  }
  /** `null`: the configuration was not read, so nothing can be said about a provider that is not listed. */
  readonly extensionProviders: readonly ExtensionProvider[] | null
  readonly defaultProviders: Readonly<Record<string, readonly string[]>>
  /** How many proxies in front of gateways are trusted to set X-Forwarded-For. */
  readonly numTrustedProxies: number
  readonly defaultConfig: Readonly<Record<string, unknown>>
  /** Whom an object without an exportTo of its own is shown to. */
  readonly defaultVirtualServiceExportTo: readonly string[]
  readonly defaultDestinationRuleExportTo: readonly string[]
  /** Namespaces that istiod reads at all, by their labels; none: every namespace. */
  readonly discoverySelectors: readonly LabelSelector[]
  /** Which Kubernetes Ingress objects istiod serves: those of its class, also those without one, or none. */
  readonly ingress: { readonly mode: 'STRICT' | 'DEFAULT' | 'OFF'; readonly className: string }
  /** Not part of the ConfigMap. It decides a few texts; unknown is read as current. */
  readonly istioVersion: string | null
}

export type PathNormalization = 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES'

export interface ExtensionProvider {
  readonly name: string
  /** Key of the provider's block, such as `envoyExtAuthzHttp`; `null` when the entry holds none. */
  readonly kind: string | null
  readonly service: string | null
  readonly port: number | null
  readonly failOpen: boolean
  readonly statusOnError: string | null
}

/** What istiod assumes where nothing is configured. */
export const defaultMeshConfig: MeshConfig = {
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
  enableAutoMtls: true,
  outboundTrafficPolicy: 'ALLOW_ANY',
  pathNormalization: 'BASE',
  accessLog: { file: '', format: '', encoding: 'TEXT' },
  extensionProviders: null,
  defaultProviders: {},
  numTrustedProxies: 0,
  defaultConfig: {},
  defaultVirtualServiceExportTo: ['*'],
  defaultDestinationRuleExportTo: ['*'],
  discoverySelectors: [],
  ingress: { mode: 'STRICT', className: 'istio' },
  istioVersion: null,
}

const normalizations: readonly string[] = ['NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']

/** `istioNamespace` is where the ConfigMap was found: the root namespace unless the configuration names another one. */
export function readMeshConfig(
  mesh: unknown,
  istioNamespace = 'istio-system',
  istioVersion: string | null = null,
): MeshConfig {
  const config = asRecord(mesh)
  const defaults = asRecord(config.defaultConfig)
  const normalization = String(asRecord(config.pathNormalization).normalization ?? 'DEFAULT')
  return {
    rootNamespace: text(config.rootNamespace) || istioNamespace,
    trustDomain: text(config.trustDomain) || defaultMeshConfig.trustDomain,
    trustDomainAliases: list(config.trustDomainAliases).map(String),
    enableAutoMtls: config.enableAutoMtls !== false,
    outboundTrafficPolicy: text(asRecord(config.outboundTrafficPolicy).mode) || defaultMeshConfig.outboundTrafficPolicy,
    // DEFAULT means BASE.
    pathNormalization: (normalizations.includes(normalization) ? normalization : 'BASE') as PathNormalization,
    accessLog: {
      file: text(config.accessLogFile),
      format: text(config.accessLogFormat),
      encoding: text(config.accessLogEncoding) || 'TEXT',
    },
    extensionProviders: list(config.extensionProviders).map(readProvider),
    defaultProviders: Object.fromEntries(
      Object.entries(asRecord(config.defaultProviders)).map(([kind, names]) => [kind, list(names).map(String)]),
    ),
    numTrustedProxies: Number(asRecord(defaults.gatewayTopology).numTrustedProxies ?? 0) || 0,
    defaultConfig: defaults,
    defaultVirtualServiceExportTo: exportDefaults(config.defaultVirtualServiceExportTo),
    defaultDestinationRuleExportTo: exportDefaults(config.defaultDestinationRuleExportTo),
    discoverySelectors: list(config.discoverySelectors).map(readLabelSelector),
    ingress: { mode: ingressMode(config.ingressControllerMode), className: text(config.ingressClass) || 'istio' },
    istioVersion,
  }
}

function exportDefaults(targets: unknown): readonly string[] {
  const named = list(targets).map(String)
  return named.length > 0 ? named : ['*']
}

function readLabelSelector(entry: unknown): LabelSelector {
  const { matchLabels, matchExpressions } = asRecord(entry)
  return {
    matchLabels: Object.fromEntries(Object.entries(asRecord(matchLabels)).map(([key, value]) => [key, String(value)])),
    matchExpressions: list(matchExpressions)
      .map(asRecord)
      .map(({ key, operator, values }) => ({
        key: text(key),
        operator: text(operator),
        values: list(values).map(String),
      })),
  }
}

/** UNSPECIFIED and nothing at all mean STRICT. */
function ingressMode(mode: unknown): MeshConfig['ingress']['mode'] {
  return mode === 'DEFAULT' || mode === 'OFF' ? mode : 'STRICT'
}

function readProvider(entry: unknown): ExtensionProvider {
  const provider = asRecord(entry)
  const kind = Object.keys(provider).find((key) => key !== 'name') ?? null
  const settings = asRecord(kind ? provider[kind] : undefined)
  return {
    name: text(provider.name),
    kind,
    service: text(settings.service) || null,
    port: settings.port === undefined ? null : Number(settings.port),
    failOpen: settings.failOpen === true,
    statusOnError: text(settings.statusOnError) || null,
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  // A non-null, non-array object can be read by key; what is under the keys stays unknown.
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Compares `major.minor`. An unknown version counts as new enough. */
export function isAtLeast(version: string | null, major: number, minor: number): boolean {
  const match = version?.match(/^v?(\d+)\.(\d+)/)
  if (!match) return true
  const [ours, theirs] = [Number(match[1]) * 1000 + Number(match[2]), major * 1000 + minor]
  return ours >= theirs
}
