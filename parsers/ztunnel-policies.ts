import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, otherFields, textOf } from './lib/fields.ts'
import { readJsonDocument, startsLikeJson } from './lib/json-stream.ts'
import { readTable } from './lib/table.ts'

const ZtunnelPolicy = z.object({
  namespace: z.string(),
  name: z.string(),
  /** Allow or Deny. */
  action: z.string(),
  /** Global, Namespace or WorkloadSelector. */
  scope: z.string(),
  /** As ztunnel has them: any of the rules, all of its clauses, any of a clause's matches. Null in a table. */
  rules: z.array(z.unknown()).nullable(),
  extra: z.record(z.string(), z.unknown()),
})
export type ZtunnelPolicy = z.infer<typeof ZtunnelPolicy>

/** `istioctl ztunnel-config policy`: the AuthorizationPolicies that ztunnel enforces. */
export default defineParser<ZtunnelPolicy[]>({
  name: 'ztunnel-policies',
  schema: z.array(ZtunnelPolicy),
  parse: (text) => (startsLikeJson(text) ? asList(readJsonDocument(text), 'policies').map(ofJson) : ofTable(text)),
})

function ofJson(entry: unknown): ZtunnelPolicy {
  const fields = asFields(entry, 'a policy')
  const [name, action, scope] = [textOf(fields.name), textOf(fields.action), textOf(fields.scope)]
  if (name === null || action === null || scope === null) throw new ParseError('a policy without name, action or scope')
  return {
    namespace: textOf(fields.namespace) ?? '',
    name,
    action,
    scope,
    rules: [...asList(fields.rules, 'rules')],
    extra: otherFields(fields, ['namespace', 'name', 'action', 'scope', 'rules']),
  }
}

function ofTable(text: string): ZtunnelPolicy[] {
  const { rows } = readTable(text, ['NAMESPACE', 'POLICY NAME', 'ACTION', 'SCOPE'], { tight: true })
  return rows.map(({ NAMESPACE, 'POLICY NAME': name, ACTION, SCOPE, ...extra }) => {
    if (name === '' || ACTION === '') throw new ParseError('a row without name or action')
    return { namespace: NAMESPACE, name, action: ACTION, scope: SCOPE, rules: null, extra }
  })
}
