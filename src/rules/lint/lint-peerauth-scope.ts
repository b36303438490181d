import { lintRule, namespaceOf } from './lint-rule.ts'

const meansMesh = /mesh|global|cluster-wide/i

/** D13: a PeerAuthentication whose place and scope do not go together. */
export default lintRule({
  code: 'lint-peerauth-scope',
  layer: 'transport-mtls',
  severity: 'warning',
  title: 'A PeerAuthentication in the wrong place for its scope',
  why: 'A PeerAuthentication is for the whole mesh only in the root namespace and without a selector. Elsewhere it covers its namespace, and with a selector in the root namespace only pods there.',
  seeAlso: ['https://istio.io/latest/docs/reference/config/security/peer_authentication/'],
  find: ({ store, rootNamespace }) =>
    store.list('PeerAuthentication').flatMap((stored) => {
      const { spec, metadata } = stored.object
      const labels = Object.entries(spec?.selector?.matchLabels ?? {})
      const atRoot = namespaceOf(stored) === rootNamespace
      if (spec?.portLevelMtls && labels.length === 0)
        return {
          stored,
          message: 'port modes need a selector: without one they are ignored',
          fix: 'Add a selector for the workload whose ports are meant.',
        }
      if (atRoot && labels.length > 0)
        return {
          stored,
          message: `it has a selector (${labels.map(([key, value]) => `${key}=${value}`).join(', ')}) in the root namespace ${rootNamespace}, so it covers pods of ${rootNamespace} only`,
          fix: 'Put it into the namespace of the workload that is meant, or take the selector out if it is meant for the mesh.',
          risk: 'without the selector it changes the mode of the whole mesh',
        }
      if (!atRoot && labels.length === 0 && meansMesh.test(metadata.name))
        return {
          stored,
          message: `its name means the mesh, but outside the root namespace ${rootNamespace} it covers ${namespaceOf(stored)} only`,
          fix: `Put it into ${rootNamespace} if the whole mesh is meant, or give it a name for its namespace.`,
          risk: 'in the root namespace it changes the mode of every workload without a policy of its own',
        }
      return []
    }),
})
