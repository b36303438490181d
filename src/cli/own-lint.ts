import type { MeshConfig } from '../mesh/mesh-config.ts'
import { type KubeObject, objectName } from '../model/kube.ts'
import type { LintEntry } from '../report/lint-report.ts'
import { lintObjects } from '../rules/lint/over-objects.ts'

export interface OwnLint {
  readonly istioNamespace: string
  readonly mesh: MeshConfig | null
  readonly today: string
}

/** Our own anti-patterns, in the shape of the one list. Suppressions are applied later, to all findings alike. */
export function ownFindings(
  objects: readonly KubeObject[],
  { istioNamespace, mesh, today }: OwnLint,
  placeOf: (object: KubeObject) => string | null = () => null,
): LintEntry[] {
  const places = new Map(objects.map((object) => [objectName(object), placeOf(object)]))
  return lintObjects(objects, { istioNamespace, today, ...(mesh ? { mesh } : {}) }).map((finding) => ({
    code: finding.code,
    severity: finding.level,
    source: 'meshtriage' as const,
    object: objectOf(finding.object),
    message: finding.message,
    why: finding.why,
    fix: finding.fix,
    reference: places.get(finding.object) ?? null,
    documentationUrl: null,
  }))
}

/** `DestinationRule shop/ledger-pool`, as objectName writes it. */
function objectOf(text: string): LintEntry['object'] {
  const [, kind = text, namespace = null, name = null] = /^(\S+)\s+(?:([^/\s]+)\/)?(\S+)$/.exec(text) ?? []
  return { kind, namespace, name }
}
