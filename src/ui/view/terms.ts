/** Words on a screen that have an explanation: flags, codes, details, and terms of the mesh. */
const patterns: readonly RegExp[] = [
  /\bIST\d{4}\b/g,
  // Response flags as Envoy prints them, alone or in a comma list; every other two capital letters are somebody's name.
  /\b(?:UH|UF|UO|NR|NC|URX|UC|UT|UR|LH|LR|DC|DI|FI|RL|UAEX|RLSE|IH|SI|DT|DPE|UPE|UMSDR|OM|DF|NFCF|DO|DR|TLSE)\b/g,
  // Response code details and the like: words joined by underscores.
  /(?<!%\{)\b[a-z]+(?:_[a-z]+)+(?:\[[^\]\s]*\]|\{[^}\s]*\})?/g,
  /\b(?:SYNCED|STALE|NOT SENT|IGNORED|ERROR)\b/g,
  /\b(?:STRICT|PERMISSIVE|DISABLE|ISTIO_MUTUAL|MUTUAL|SIMPLE|PASSTHROUGH)\b/g,
  /\b(?:DestinationRule|VirtualService|PeerAuthentication|AuthorizationPolicy|RequestAuthentication|ServiceEntry|EnvoyFilter|Sidecar|Gateway|HTTPRoute|Telemetry|WorkloadEntry|EndpointSlice|NetworkPolicy)\b/g,
  /\b(?:mTLS|SPIFFE|HBONE|ztunnel|waypoint|sidecar|SNI|JWT|JWKS|RBAC|ext_authz|xDS|LDS|RDS|CDS|EDS|SDS|ECDS|trust domain|outlier|subset|filter chain|circuit breaker)\b/g,
  /\b(?:via_upstream|BlackHoleCluster|PassthroughCluster|InboundPassthroughCluster\w*)\b/g,
  /\b(?:outbound|inbound)\|\d*\|[^|\s]*\|[^\s,;]*/g,
  /\b[45]\d\d\b/g,
]

/** In the order in which they stand there, each once. */
export function termsIn(text: string): string[] {
  const found: { at: number; term: string }[] = []
  for (const pattern of patterns)
    for (const match of text.matchAll(pattern)) {
      // Cut off by the edge of the screen: only half a word.
      if (text[match.index + match[0].length] === '…') continue
      found.push({ at: match.index, term: match[0] })
    }
  found.sort((a, b) => a.at - b.at || b.term.length - a.term.length)
  return [...new Set(found.map(({ term }) => term))]
}
