import { objectsIn } from '../mesh/loose-lists.ts'
import { hostMatches } from './gateway-hosts.ts'
import type { ObjectStore, Stored } from './objects.ts'

/** Ingress objects with a rule for this host. A rule without a host takes every one, and is nobody's in particular. */
export function ingressesFor(store: ObjectStore, host: string | null): readonly Stored[] {
  if (host === null) return []
  return store
    .list('Ingress')
    .filter(({ object }) =>
      objectsIn(object.spec?.rules).some((rule) => typeof rule.host === 'string' && hostMatches(rule.host, host)),
    )
}
