/** A rule of `spec.rules`, read from an object that may hold anything. */
export interface RuleShape {
  readonly from: readonly Alternative[]
  readonly to: readonly Alternative[]
  readonly when: readonly Condition[]
  /** What we cannot read: fields that a newer release may have added, or values of an unexpected kind. Such a rule stays open. */
  readonly strangers: readonly string[]
}

/** Field name (without `not`) → wanted and unwanted values. */
export type Alternative = ReadonlyMap<string, Values>

export interface Values {
  readonly values: readonly string[]
  readonly notValues: readonly string[]
}

export interface Condition extends Values {
  readonly key: string
}

const sourceNames: Readonly<Record<string, string>> = {
  principals: 'notPrincipals',
  requestPrincipals: 'notRequestPrincipals',
  namespaces: 'notNamespaces',
  serviceAccounts: 'notServiceAccounts',
  trustDomains: 'notTrustDomains',
  ipBlocks: 'notIpBlocks',
  remoteIpBlocks: 'notRemoteIpBlocks',
}
const operationNames: Readonly<Record<string, string>> = {
  hosts: 'notHosts',
  ports: 'notPorts',
  methods: 'notMethods',
  paths: 'notPaths',
}

/** Reads a rule, and notes in `strangers` what it does not understand. An absent or null value is just absent. */
export function readRule(rule: unknown): RuleShape {
  const strangers: string[] = []
  const { from, to, when, ...others } = record(rule, 'rule', strangers)
  strangers.push(...Object.keys(others))
  return {
    from: list(from, 'from', strangers).map((entry) => alternative(entry, 'source', sourceNames, strangers)),
    to: list(to, 'to', strangers).map((entry) => alternative(entry, 'operation', operationNames, strangers)),
    when: list(when, 'when', strangers).map((entry) => condition(entry, strangers)),
    strangers,
  }
}

function alternative(
  entry: unknown,
  block: string,
  names: Readonly<Record<string, string>>,
  strangers: string[],
): Alternative {
  const inner = record(entry, block, strangers)[block]
  const fields = inner === undefined || inner === null ? {} : record(inner, block, strangers)
  const known = new Set([...Object.keys(names), ...Object.values(names)])
  strangers.push(...Object.keys(fields).filter((key) => !known.has(key)))
  const found = Object.entries(names).map(([name, negated]) => {
    const values = texts(fields[name], name, strangers)
    const notValues = texts(fields[negated], negated, strangers)
    return [name, { values, notValues }] as const
  })
  return new Map(found.filter(([, { values, notValues }]) => values.length + notValues.length > 0))
}

function condition(entry: unknown, strangers: string[]): Condition {
  const { key, values, notValues } = record(entry, 'when', strangers)
  if (typeof key !== 'string') strangers.push('when key')
  return {
    key: String(key),
    values: texts(values, 'values', strangers),
    notValues: texts(notValues, 'notValues', strangers),
  }
}

function record(value: unknown, where: string, strangers: string[]): Record<string, unknown> {
  // A non-null, non-array object can be read by key; what is under the keys stays unknown.
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  strangers.push(where)
  return {}
}

function list(value: unknown, where: string, strangers: string[]): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (value !== undefined && value !== null) strangers.push(where)
  return []
}

function texts(value: unknown, where: string, strangers: string[]): readonly string[] {
  const entries = list(value, where, strangers)
  const found = entries.filter((entry): entry is string => typeof entry === 'string')
  if (found.length < entries.length) strangers.push(where)
  return found
}
