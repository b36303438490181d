import { matchesLabels } from '../../situation/pods.ts'
import { serversOf } from '../lib/gateways.ts'
import { lintRule, namespaceOf } from './lint-rule.ts'

/** D20: a credentialName that leads to no Secret beside the gateway. */
export default lintRule({
  code: 'lint-credential-missing',
  layer: 'gateway-tls',
  severity: 'error',
  title: 'The certificate of a Gateway is missing or in another namespace',
  why: 'The Secret has to be in the namespace of the gateway’s pods, not in that of the Gateway object. Without it handshakes are closed and nothing is logged.',
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/'],
  find: ({ store, pods }) => {
    const secrets = store.list('Secret')
    // Files without any Secret say nothing about those of the cluster.
    if (secrets.length === 0) return []
    return store.list('Gateway').flatMap((stored) => {
      const own = pods.filter(({ labels }) => matchesLabels(stored.object.spec?.selector, labels))
      const places = [...new Set(own.map(({ namespace }) => namespace))]
      const where = places.length > 0 ? places : [namespaceOf(stored)]
      return serversOf(stored).flatMap(({ credential, index, hosts }) => {
        if (credential === null || credential.includes('://')) return []
        const name = credential.slice(credential.indexOf('/') + 1)
        const missing = where.filter((namespace) => !store.get('Secret', namespace, name))
        if (missing.length === 0) return []
        const elsewhere = secrets.filter(({ object }) => object.metadata.name === name).map(namespaceOf)
        return {
          stored,
          message: `server ${index} for ${hosts.join(', ')} names Secret ${name}, which is not in ${missing.join(', ')}${
            elsewhere.length > 0 ? ` but in ${elsewhere.join(', ')}` : ''
          }`,
          part: { credentialName: credential, hosts },
          fix: `${elsewhere.length > 0 ? 'Put a copy of it' : `Create Secret ${name}`} into ${missing.join(', ')}, where the gateway's pods run.`,
          risk: 'a private key in one more namespace',
        }
      })
    })
  },
})
