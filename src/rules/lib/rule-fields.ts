import type { KubeObject } from '../../model/kube.ts'

/** What a field of an AuthorizationPolicy rule is about. A refusal is explained by the kinds that do not fit. */
export type FieldKind = 'identity' | 'token' | 'address' | 'host' | 'method' | 'path' | 'port' | 'header' | 'other'

const kindOfField: Readonly<Record<string, FieldKind>> = {
  principals: 'identity',
  namespaces: 'identity',
  serviceAccounts: 'identity',
  trustDomains: 'identity',
  requestPrincipals: 'token',
  ipBlocks: 'address',
  remoteIpBlocks: 'address',
  hosts: 'host',
  methods: 'method',
  paths: 'path',
  ports: 'port',
}

const kindOfKey: readonly (readonly [RegExp, FieldKind])[] = [
  [/^source\.(principal|namespace|serviceAccount|trustDomain)$/, 'identity'],
  [/^(source|remote|destination)\.ip$/, 'address'],
  [/^request\.auth\./, 'token'],
  [/^request\.headers/, 'header'],
  [/^destination\.port$/, 'port'],
]

/** One list of values in a rule. */
export interface RuleField {
  readonly name: string
  readonly kind: FieldKind
  /** `notPaths`, `notValues`: none of these may fit. */
  readonly negated: boolean
  readonly values: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: a rule as the cluster holds it; readers check what they use
export type RawRule = any

export function rulesOf(policy: KubeObject): readonly RawRule[] {
  return Array.isArray(policy.spec?.rules) ? policy.spec.rules : []
}

/** All fields of a rule, in the order in which it is written. */
export function fieldsOf(rule: RawRule): readonly RuleField[] {
  return [
    ...blocks(rule?.from, 'source').flatMap(ofBlock),
    ...blocks(rule?.to, 'operation').flatMap(ofBlock),
    ...list(rule?.when).flatMap(ofCondition),
  ]
}

/** The rule with only the fields of which `keep` says so. An alternative that asks for nothing any more fits always. */
export function project(rule: RawRule, keep: (field: RuleField) => boolean): RawRule {
  const projected: Record<string, unknown> = {}
  for (const [part, inner] of [
    ['from', 'source'],
    ['to', 'operation'],
  ] as const) {
    const kept = blocks(rule?.[part], inner).map((block) =>
      Object.fromEntries(Object.entries(block).filter(([name, values]) => keep(fieldOf(name, values)))),
    )
    if (kept.length > 0 && kept.every((block) => Object.keys(block).length > 0))
      projected[part] = kept.map((block) => ({ [inner]: block }))
  }
  const when = list(rule?.when).filter((condition) => ofCondition(condition).every(keep))
  if (when.length > 0) projected.when = when
  return projected
}

/** `principals [a, b] and not paths [/x]`. */
export function fieldsText(fields: readonly RuleField[]): string {
  return fields
    .map(({ name, negated, values }) => `${negated ? 'not ' : ''}${name} [${values.join(', ')}]`)
    .join(' and ')
}

function fieldOf(name: string, values: unknown): RuleField {
  const negated = /^not[A-Z]/.test(name)
  const plain = negated ? name.charAt(3).toLowerCase() + name.slice(4) : name
  return { name: plain, kind: kindOfField[plain] ?? 'other', negated, values: list(values).map(String) }
}

function ofBlock(block: Readonly<Record<string, unknown>>): RuleField[] {
  return Object.entries(block).map(([name, values]) => fieldOf(name, values))
}

function ofCondition(condition: RawRule): RuleField[] {
  const key = String(condition?.key ?? '')
  const kind = kindOfKey.find(([pattern]) => pattern.test(key))?.[1] ?? 'other'
  return [
    { values: list(condition?.values), negated: false },
    { values: list(condition?.notValues), negated: true },
  ].flatMap(({ values, negated }) =>
    values.length > 0 ? [{ name: key, kind, negated, values: values.map(String) }] : [],
  )
}

function blocks(entries: unknown, inner: string): readonly Readonly<Record<string, unknown>>[] {
  return list(entries).flatMap((entry) => {
    const block = entry?.[inner]
    return typeof block === 'object' && block !== null ? [block] : []
  })
}

function list(values: unknown): readonly RawRule[] {
  return Array.isArray(values) ? values : []
}
