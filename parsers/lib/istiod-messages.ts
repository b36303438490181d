/**
 * What istiod says when something is wrong, by its words; 1.20 to 1.31. Named groups become the entry's details.
 * Each pattern is anchored or begins with fixed words, so that a hostile message costs no more than its length.
 */
export const istiodMessages = [
  // A proxy refused configuration: `ADS:LDS: ACK ERROR web-1.shop-22 Internal:…`.
  {
    kind: 'push-rejected',
    pattern: /^(?:ADS|ECDS|DELTA|[A-Z]+):(?<type>[\w./]+): ACK ERROR (?<connection>\S+) (?<code>\w+):(?<reason>.*)$/s,
  },
  {
    kind: 'unauthorized-certificates',
    pattern: /^proxy (?<proxy>\S+) attempted to access unauthorized certificates (?<resource>.*?): (?<reason>.*)$/s,
  },
  {
    kind: 'credential-missing',
    pattern:
      /^failed to fetch (?:key and certificate|ca certificate|secret|CRL) for (?<resource>\S+?): (?<reason>.*)$/s,
  },
  {
    kind: 'impersonation-refused',
    pattern:
      /^(?<subject>.*?)(?<account>\{[^{}]*\}|\S+) (?:\([^)]*\) )?is not allowed to impersonate (?<identity>.*)$/s,
  },
  { kind: 'impersonation-refused', pattern: /^(?<reason>impersonation failed for identity (?<identity>[^,\s]+).*)$/s },
  {
    kind: 'authentication-failed',
    pattern: /^Failed to authenticate client(?: \(?from (?<source>[^)\s]+?)\)?)?(?:: |, | )(?<reason>.*)$/s,
  },
  { kind: 'authentication-failed', pattern: /^(?<reason>Authentication failed.*)$/is },
  {
    kind: 'ca-error',
    pattern:
      /^(?<reason>CSR signing error.*|(?:failed|unable) to (?:sign|create|load|generate|rotate|verify|update)\b.*(?:certificate|cert\b|CSR|CA\b|cacerts|root).*)$/is,
  },
  {
    kind: 'jwks-failed',
    pattern: /^JWKS fetch failed for issuer (?<issuer>.*?) \((?<uri>[^)]*)\), (?<reason>.*)$/s,
  },
  {
    kind: 'jwks-failed',
    pattern:
      /^Failed to (?:fetch|refresh|get)\b.*?(?:issuer "?(?<issuer>[^"\s,]+)"?.*?)?jwks uri "?(?<uri>[^"\s,]+)"?[:,]? ?(?<reason>.*)$/is,
  },
  { kind: 'jwks-failed', pattern: /^Failed to get jwks URI from issuer "?(?<issuer>[^"\s]+)"?: (?<reason>.*)$/is },
  {
    kind: 'jwks-failed',
    pattern:
      /^(?<reason>(?:Content fetched from|The JWT public key fetched from|Failed to refresh JWT public key|.*\bjwks\b.*(?:fail|error|not a valid|invalid)).*)$/is,
    levels: ['warn', 'error'],
  },
  { kind: 'injection-failed', pattern: /^(?:Pod |Sidecar )?injection failed(?: for (?<pod>\S+?))?: (?<reason>.*)$/is },
  {
    kind: 'injection-failed',
    pattern:
      /^(?<reason>Failed to (?:inject|get proxy config|process (?:proxyless )?sidecar|run injection).*|.*\binjection template\b.*|injection requested .*)$/is,
    levels: ['warn', 'error'],
  },
  {
    kind: 'injection-skipped',
    pattern: /^(?<reason>Skipping (?:sidecar |proxyless )?(?:injection|due to policy check|namespace|because).*)$/s,
  },
  {
    kind: 'server-skipped',
    pattern:
      /^buildGatewayListeners: skipping privileged gateway port (?<port>\d+) for node (?<proxy>\S+)(?<reason>.*)$/s,
  },
  {
    kind: 'server-skipped',
    pattern: /^skipping server on gateway (?<gateway>[^\s,:]+)(?: port (?<port>[^\s:]+):|,)? ?(?<reason>.*)$/s,
  },
  {
    kind: 'port-conflict',
    pattern:
      /^(?<reason>.*\b(?:conflict(?:s|ing)? (?:with|on|between)|eclipsed by another server|already (?:bound|in use|occupied)|port conflict).*)$/s,
    levels: ['warn', 'error'],
  },
  {
    kind: 'no-vhosts',
    pattern:
      /^constructed http route config for route (?<route>\S+) on port (?<port>\d+) with no vhosts(?<reason>.*)$/s,
  },
  { kind: 'gateway-missing', pattern: /^Gateway missing for route (?<route>\S+?)\. (?<reason>.*)$/s },
  { kind: 'gateway-missing', pattern: /^buildGatewayRoutes: no gateways for router (?<proxy>\S+)(?<reason>.*)$/s },
  {
    kind: 'extension-provider',
    pattern: /^(?<reason>.*(?:extension provider|CUSTOM action|ext_?authz provider).*)$/is,
    levels: ['warn', 'error'],
  },
  {
    kind: 'config-invalid',
    pattern:
      /^(?<reason>(?:configuration is invalid|.*\bis invalid:|failed (?:to )?validat|.*validation (?:failed|error)).*)$/is,
    levels: ['warn', 'error'],
  },
  {
    kind: 'envoyfilter-failed',
    pattern: /^(?<reason>.*EnvoyFilter.*(?:fail|error|panic|missed|cannot|not found).*)$/is,
    levels: ['warn', 'error'],
  },
  {
    kind: 'remote-cluster',
    pattern:
      /^(?<reason>.*(?:remote cluster|remote secret|multicluster).*(?:fail|error|timed out|timeout|unable|not ready).*)$/is,
    levels: ['warn', 'error'],
  },
  { kind: 'push-status', pattern: /^Push Status: (?<status>\{.*)$/s },
  {
    kind: 'config-changed',
    pattern: /^Push debounce stable\[\d+\] \d+ for config (?<object>\S+?)(?: and (?<more>\d+) more configs)?: .*$/s,
  },
  { kind: 'config-changed', pattern: /^(?:Full|Incremental) push, (?:new )?service (?<object>\S+)(?<reason>.*)$/s },
  { kind: 'proxy-connected', pattern: /^ADS: new (?:delta )?connection for node:(?<connection>\S+)$/s },
  { kind: 'proxy-disconnected', pattern: /^ADS: "(?<source>[^"]*)" (?<connection>\S+) terminated(?<reason>.*)$/s },
  {
    kind: 'pushed',
    pattern: /^(?<type>[\w./]+): PUSH(?: INC| request)?(?: for node:(?<proxy>\S+))?(?<reason>.*)$/s,
  },
  { kind: 'pushed', pattern: /^XDS: (?:Incremental )?Pushing(?<reason>.*)$/s },
] as const satisfies readonly { kind: string; pattern: RegExp; levels?: readonly string[] }[]

export type IstiodKind = (typeof istiodMessages)[number]['kind'] | 'other'

/** Said on every change of an ordinary day; they date a change or a connection but report no fault. */
export const routineKinds: ReadonlySet<IstiodKind> = new Set<IstiodKind>([
  'config-changed',
  'proxy-connected',
  'proxy-disconnected',
  'pushed',
  'injection-skipped',
])
