import { nameOfStored, serversOf } from '../lib/gateways.ts'
import { lintRule } from './lint-rule.ts'

/** D4: one host at an Istio Gateway and at a Gateway API Gateway. */
export default lintRule({
  code: 'lint-two-gateway-apis',
  layer: 'gateway-routing',
  severity: 'warning',
  title: 'One host in both gateway APIs',
  why: 'An Istio Gateway and a Gateway API Gateway for one host are two entries with routes of their own. Which one a caller gets depends on DNS alone, and changes to one never reach the other.',
  find: ({ store }) => {
    const other = store.list('K8sGateway').flatMap((stored) => {
      const listeners: unknown = stored.object.spec?.listeners
      const names = Array.isArray(listeners) ? listeners.map((one) => one?.hostname) : []
      return names.flatMap((name) =>
        typeof name === 'string'
          ? [{ host: name.toLowerCase(), by: `Gateway ${nameOfStored(stored)} (Gateway API)` }]
          : [],
      )
    })
    const routes = store.list('HTTPRoute').flatMap((stored) => {
      const names: unknown = stored.object.spec?.hostnames
      return Array.isArray(names)
        ? names.map((name) => ({ host: String(name).toLowerCase(), by: `HTTPRoute ${nameOfStored(stored)}` }))
        : []
    })
    return store.list('Gateway').flatMap((stored) => {
      const hosts = serversOf(stored).flatMap((server) =>
        server.hosts.map((host) => host.slice(host.indexOf('/') + 1).toLowerCase()),
      )
      const twice = [...other, ...routes].find(({ host }) => host !== '*' && hosts.includes(host))
      if (!twice) return []
      return {
        stored,
        message: `host ${twice.host} is here and at ${twice.by} too`,
        fix: `Serve ${twice.host} through one of the two APIs, and take it out of the other once callers have moved.`,
        risk: 'callers whose DNS still points at the other gateway lose the host',
      }
    })
  },
})
