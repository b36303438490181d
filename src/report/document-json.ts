import { unsafeEscaped } from './json.ts'

/** Any result as JSON. Kubernetes objects in it shrink to their names: a result names what decided, it carries no copies. */
export function documentJson(document: unknown): string {
  return `${unsafeEscaped(JSON.stringify(document, (_, value) => shortened(value), 2))}\n`
}

function shortened(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { kind, metadata, apiVersion } = value as { kind?: unknown; metadata?: unknown; apiVersion?: unknown } // only looked at
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || typeof metadata !== 'object' || metadata === null)
    return value
  const { name, namespace } = metadata as { name?: unknown; namespace?: unknown } // as above
  return { kind, ...(typeof namespace === 'string' ? { namespace } : {}), name }
}
