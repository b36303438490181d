import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { arrayIn, isObject, objectIn, readJsonObject, stringOrNull } from './lib/kubectl-json.ts'

const ConfigView = z.object({
  currentContext: z.string().nullable(),
  contexts: z.array(
    z.object({
      name: z.string(),
      cluster: z.string().nullable(),
      user: z.string().nullable(),
      namespace: z.string().nullable(),
    }),
  ),
  clusters: z.array(z.object({ name: z.string(), server: z.string().nullable() })),
})
export type ConfigView = z.infer<typeof ConfigView>

/** `kubectl config view --minify -o json`. Users are left out on purpose: nothing of theirs is needed, all of it is secret. */
export default defineParser({
  name: 'config-view',
  schema: ConfigView,
  parse(text): ConfigView {
    const document = readJsonObject(text, 'config-view')
    if (document.kind !== 'Config') throw new ParseError(`config-view: a ${String(document.kind)}, not a Config`)
    return {
      currentContext: stringOrNull(document['current-context']),
      contexts: named(document.contexts, 'context').map(([name, context]) => ({
        name,
        cluster: stringOrNull(context.cluster),
        user: stringOrNull(context.user),
        namespace: stringOrNull(context.namespace),
      })),
      clusters: named(document.clusters, 'cluster').map(([name, cluster]) => ({
        name,
        server: stringOrNull(cluster.server),
      })),
    }
  },
})

/** kubeconfig lists are arrays (or null) of `{ name, KEY: {…} }`. */
function named(list: unknown, key: string) {
  return arrayIn(list)
    .filter(isObject)
    .map((entry) => [stringOrNull(entry.name) ?? '', objectIn(entry[key])] as const)
}
