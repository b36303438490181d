import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { splitProxyName } from './lib/fields.ts'
import { readTable } from './lib/table.ts'

const AuthzCheck = z.object({
  /** False: the command printed nothing at all, as it does for a gateway without listeners. */
  tablePrinted: z.boolean(),
  policies: z.array(
    z.object({
      /** DENY, ALLOW, LOG; CUSTOM only since 1.25: before, external authorization is not shown. */
      action: z.string(),
      /** Null for the filter that stands for no policy (`_anonymous_match_nothing_`). */
      policy: z.string().nullable(),
      namespace: z.string().nullable(),
      rules: z.number().nullable(),
      raw: z.string(),
      extra: z.record(z.string(), z.string()),
    }),
  ),
})
export type AuthzCheck = z.infer<typeof AuthzCheck>

/** `istioctl x authz check`: RBAC as the proxy has it. Dry runs are not marked and ztunnel's policies not shown: never the sole proof. */
export default defineParser<AuthzCheck>({
  name: 'authz-check',
  schema: AuthzCheck,
  parse: (text) => {
    if (text.trim() === '') return { tablePrinted: false, policies: [] }
    const { rows } = readTable(text, ['ACTION', 'AuthorizationPolicy', 'RULES'])
    return {
      tablePrinted: true,
      policies: rows.map(({ ACTION, AuthorizationPolicy: raw, RULES, ...extra }) => {
        if (ACTION === '' || raw === '') throw new ParseError('a row without action or policy')
        const anonymous = raw === '_anonymous_match_nothing_'
        const { name, namespace } = splitProxyName(raw)
        return {
          action: ACTION,
          policy: anonymous ? null : name,
          namespace: anonymous ? null : namespace,
          rules: /^\d+$/.test(RULES) ? Number(RULES) : null,
          raw,
          extra: Object.fromEntries(Object.entries(extra).map(([key, value]) => [key, value ?? ''])),
        }
      }),
    }
  },
})
