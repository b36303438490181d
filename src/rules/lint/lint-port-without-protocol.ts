import { portKind } from '../../mesh/service-registry.ts'
import { isSystemNamespace, lintRule, namespaceOf } from './lint-rule.ts'

/** D16: a port whose protocol has to be guessed. */
export default lintRule({
  code: 'lint-port-without-protocol',
  layer: 'protocol',
  severity: 'info',
  title: 'A port that does not say its protocol',
  why: 'Without a prefix in the name (http-, grpc-, tcp-) or an appProtocol the proxy waits for the first bytes to guess. Server-first protocols hang, and HTTP policies and routes may not apply.',
  seeAlso: ['https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/'],
  find: ({ store, given }) =>
    store.list('Service').flatMap((stored) => {
      const namespace = namespaceOf(stored)
      const { spec } = stored.object
      if (isSystemNamespace(namespace) || namespace === given.istioNamespace || spec?.type === 'ExternalName') return []
      const ports: readonly { name?: string; port?: number; protocol?: string; appProtocol?: string }[] = Array.isArray(
        spec?.ports,
      )
        ? spec.ports
        : []
      // 15021 is the health port of gateways: no traffic of the mesh.
      const vague = ports.filter(
        ({ name, port, protocol, appProtocol }) =>
          port !== 15021 && portKind(name ?? '', appProtocol, port ?? 0, protocol ?? 'TCP') === 'auto',
      )
      if (vague.length === 0) return []
      return {
        stored,
        message: `port ${vague.map(({ name, port }) => (name ? `${port} (${name})` : String(port))).join(', ')} says no protocol, so the proxy has to guess`,
        part: vague,
        fix: 'Add appProtocol to the port, or begin its name with the protocol.',
        risk: 'a wrong protocol breaks callers: check what the application really speaks',
      }
    }),
})
