/** What istioctl calls the xDS types. A type without a short name keeps its URL, as in istioctl. */
const shortNames: Readonly<Record<string, string>> = {
  'envoy.config.cluster.v3.Cluster': 'CDS',
  'envoy.config.listener.v3.Listener': 'LDS',
  'envoy.config.route.v3.RouteConfiguration': 'RDS',
  'envoy.config.route.v3.ScopedRouteConfiguration': 'SRDS',
  'envoy.config.endpoint.v3.ClusterLoadAssignment': 'EDS',
  'envoy.config.core.v3.TypedExtensionConfig': 'ECDS',
  'envoy.extensions.transport_sockets.tls.v3.Secret': 'SDS',
  'istio.networking.nds.v1.NameTable': 'NDS',
  'istio.mesh.v1alpha1.ProxyConfig': 'PCDS',
  'istio.workload.Address': 'WDS',
  'istio.workload.Workload': 'WDS',
  'istio.security.Authorization': 'WADS',
}

export function xdsTypeName(typeUrl: string): string {
  return shortNames[typeUrl.replace(/^type\.googleapis\.com\//, '')] ?? typeUrl
}

/** A name is used once: the second type of the same short name becomes `WDS (2)`, as in a table with that column twice. */
export function freeName(name: string, taken: Readonly<Record<string, unknown>>): string {
  if (!Object.hasOwn(taken, name)) return name
  let count = 2
  while (Object.hasOwn(taken, `${name} (${count})`)) count += 1
  return `${name} (${count})`
}
