export interface StatName {
  readonly group: string
  readonly scope: string | null
  readonly stat: string
}

// Where a statistic's own name starts when nothing marks the end of a scope that holds dots itself.
const ownNames: Readonly<Record<string, RegExp>> = {
  cluster:
    /\.((?:assignment_|bind_errors|circuit_breakers\.|client_ssl|default\.|external\.|http[123]\.|internal\.|lb_|max_host_weight|membership_|original_dst|outlier_detection\.|retry|ssl\.|tcp_|upstream_|update_|version|warming_state|zone\.).*)$/,
  http: /\.((?:cors\.|downstream_|ext_authz\.|fault\.|http[123]\.|jwt_authn\.|local_rate_limit\.|ratelimit\.|rbac\.|rq_|rs_too_large|no_|passthrough_|tracing\.).*)$/,
  listener:
    /\.((?:connections_accepted|downstream_|extension_config|http\.|no_filter_chain_match|server_ssl|ssl\.|tls_inspector|worker_).*)$/,
  tcp: /\.((?:downstream_|idle_timeout|max_downstream|rbac\.|upstream_).*)$/,
}

/**
 * Splits `cluster.outbound|80||a.b.svc.cluster.local;.upstream_rq_total`. Since 1.23 a scope ends with `;`; before, names of
 * hosts run into the statistic's own name.
 */
export function splitStatName(name: string): StatName {
  const dot = name.indexOf('.')
  if (dot < 0) return { group: name, scope: null, stat: name }
  const group = name.slice(0, dot)
  const rest = name.slice(dot + 1)
  const own = ownNames[group]
  if (!own) return { group, scope: null, stat: rest }
  const end = rest.indexOf(';.')
  if (end >= 0) return { group, scope: rest.slice(0, end), stat: rest.slice(end + 2) }
  const match = own.exec(rest)
  return match ? { group, scope: rest.slice(0, match.index), stat: match[1] ?? '' } : { group, scope: null, stat: rest }
}

/** Prometheus' names have underscores for dots, and labels for scopes. */
export function splitMetricName(name: string, labels: string): StatName {
  const own = name.replace(/^envoy_/, '')
  const manager = /^(cluster_manager|listener_manager)_(?:([cl]ds)_)?(.+)$/.exec(own)
  if (manager)
    return {
      group: manager[1] ?? '',
      scope: null,
      stat: manager[2] ? `${manager[2]}.${manager[3]}` : (manager[3] ?? ''),
    }
  const scope = /(?:cluster_name|http_conn_manager_prefix|listener_address)="([^"]*)"/.exec(labels)?.[1]
  const end = own.indexOf('_')
  const [group, stat] = end < 0 ? [own, own] : [own.slice(0, end), own.slice(end + 1)]
  return { group, scope: scope?.replace(/;$/, '') ?? null, stat }
}
