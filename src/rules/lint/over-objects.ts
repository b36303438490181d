import type { MeshConfig } from '../../mesh/mesh-config.ts'
import { emptyGiven } from '../../model/call.ts'
import type { EvidenceEntry, EvidenceKey } from '../../model/evidence.ts'
import { type KubeObject, objectName } from '../../model/kube.ts'
import { nothingPasted } from '../../situation/hints.ts'
import { type KubeRead, kindKey, resourceFor } from '../../situation/objects.ts'
import { situate } from '../../situation/situation.ts'
import type { MeshRule } from '../define-rule.ts'
import { lintRules } from './index.ts'
import { reasonAnnotation } from './lint-rule.ts'
import { suppressedBy } from './suppression.ts'

export interface LintFinding {
  readonly code: string
  readonly level: 'error' | 'warning' | 'info'
  /** `DestinationRule shop/ledger-pool`. */
  readonly object: string
  readonly message: string
  readonly why: string
  readonly fix: string
  /** The reason that the object's annotation gives. Such a finding is shown and does not count. */
  readonly suppressedBy?: string
}

export interface LintOptions {
  /** `2026-11-21`: suppressions end. */
  readonly today: string
  readonly mesh?: MeshConfig
  readonly istioNamespace?: string
  /** Annotations that count as a documented reason, besides our own. */
  readonly reasonAnnotations?: readonly string[]
  readonly rules?: readonly MeshRule[]
}

/** Our own anti-patterns over objects, from a cluster or from files. */
export function lintObjects(objects: readonly KubeObject[], options: LintOptions): LintFinding[] {
  const given = { ...emptyGiven('unknown'), istioNamespace: options.istioNamespace ?? 'istio-system' }
  const explained = objects.map((object) => withReason(withNamespace(object), options.reasonAnnotations ?? []))
  const situation = situate(entriesOf(explained, options), given, nothingPasted)
  const byName = new Map(explained.map((object) => [objectName(object), object]))
  const rules = options.rules ?? lintRules
  return rules.flatMap((rule) => {
    const outcome = rule.check(situation)
    if (outcome.status !== 'fired') return []
    return outcome.hits.map((hit): LintFinding => {
      const object = byName.get(hit.subject)
      const { reason, endedAt } = object
        ? suppressedBy(object, rule.code, options.today)
        : { reason: null, endedAt: null }
      return {
        code: rule.code,
        level: rule.severity,
        object: hit.subject,
        message: endedAt ? `${hit.statement} (suppressed until ${endedAt})` : hit.statement,
        why: rule.why,
        fix: hit.fix.statement,
        ...(reason === null ? {} : { suppressedBy: reason }),
      }
    })
  })
}

const clusterWide = /^(?:Namespace|Node|GatewayClass|CustomResourceDefinition|Cluster.*|.*WebhookConfiguration)$/

/** Files leave the namespace out where `kubectl apply` would fill it in. */
function withNamespace(object: KubeObject): KubeObject {
  if (object.metadata.namespace !== undefined || clusterWide.test(object.kind)) return object
  return { ...object, metadata: { ...object.metadata, namespace: 'default' } }
}

function withReason(object: KubeObject, names: readonly string[]): KubeObject {
  const annotations = object.metadata.annotations ?? {}
  const reason = names.map((name) => annotations[name]).find((text) => text !== undefined && text.trim() !== '')
  if (reason === undefined) return object
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [reasonAnnotation]: reason } } }
}

/** Objects as if one command had printed them: what is not among them is not there. */
function entriesOf(objects: readonly KubeObject[], { mesh }: LintOptions): EvidenceEntry[] {
  const asked = [...new Set(objects.map((object) => resourceFor(kindKey(object))))]
  const read: KubeRead = { namespace: null, asked, items: objects, unreadable: [], partial: false }
  return [entry('C1', 'mesh.config', read), ...(mesh ? [entry('C2', 'mesh.meshConfig', mesh)] : [])]
}

function entry(id: string, key: EvidenceKey, data: unknown): EvidenceEntry {
  return {
    id,
    key,
    role: 'mesh',
    probe: key.slice(key.indexOf('.') + 1),
    subject: 'objects',
    namespace: null,
    name: null,
    command: { file: 'kubectl', args: ['get', 'all'], timeoutMs: 0 },
    status: 'ok',
    data,
    reason: null,
    detail: null,
    unlock: null,
    at: '1970-01-01T00:00:00Z',
    durationMs: 0,
  }
}
