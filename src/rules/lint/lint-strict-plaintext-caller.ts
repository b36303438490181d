import { strictReadiness } from '../../mesh/strict-readiness.ts'
import type { Stored } from '../../situation/objects.ts'
import { lintRule, namespaceOf } from './lint-rule.ts'

/** D14: STRICT is in force where somebody still calls, or has to call, in plaintext. */
export default lintRule({
  code: 'lint-strict-plaintext-caller',
  layer: 'transport-mtls',
  severity: 'warning',
  title: 'STRICT where callers still speak plaintext',
  why: 'STRICT closes every connection that is not mutual TLS. Rules that switch it off, excluded ports and pods without a proxy beside it are the callers that break.',
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/'],
  find: (situation) => {
    const { store, mesh, rootNamespace } = situation
    const strict = store
      .list('PeerAuthentication')
      .filter(
        ({ object }) =>
          object.spec?.mtls?.mode === 'STRICT' && Object.keys(object.spec?.selector?.matchLabels ?? {}).length === 0,
      )
    return strict.flatMap((policy) => {
      const namespace = namespaceOf(policy)
      const wide = namespace === rootNamespace
      const readiness = strictReadiness({
        scope: wide ? { kind: 'mesh' } : { kind: 'namespace', namespace },
        pods: store.objects('Pod').filter((pod) => wide || pod.metadata.namespace === namespace),
        services: store.objects('Service'),
        policies: store.objects('PeerAuthentication'),
        destinationRules: store.objects('DestinationRule'),
        mesh,
      })
      const broken = readiness.findings.filter(
        ({ effect, kind }) => effect === 'breaks' && kind !== 'probe-without-rewrite',
      )
      return broken.slice(0, 5).map((finding) => ({
        stored: subjectOf(store.list, finding.subject, finding.kind) ?? policy,
        message: `${finding.subject}: ${finding.why}${finding.certainty === 'possible' ? ', if it calls there at all' : ''}; PeerAuthentication ${namespace}/${policy.object.metadata.name} is STRICT`,
        part: finding.evidence,
        fix: 'Bring this caller into the mesh or correct its rule; until then a PeerAuthentication for the one workload it calls, with a PERMISSIVE port, keeps it working.',
      }))
    })
  },
})

function subjectOf(list: (kind: string) => readonly Stored[], subject: string, kind: string): Stored | null {
  const kinds = kind === 'destination-rule' ? ['DestinationRule'] : ['Pod']
  return (
    kinds
      .flatMap((one) => list(one))
      .find((stored) => `${namespaceOf(stored)}/${stored.object.metadata.name}` === subject) ?? null
  )
}
