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

export function readRule(rule: unknown): RuleShape {
  const reader = new ShapeReader()
  const { from, to, when, ...others } = reader.record(rule, 'rule')
  reader.strangers.push(...Object.keys(others))
  return {
    from: reader.list(from, 'from').map((entry) => reader.alternative(entry, 'source', sourceNames)),
    to: reader.list(to, 'to').map((entry) => reader.alternative(entry, 'operation', operationNames)),
    when: reader.list(when, 'when').map((entry) => reader.condition(entry)),
    strangers: reader.strangers,
  }
}

/** Collects what it does not understand while it reads; an absent or null value is just absent. */
class ShapeReader {
  readonly strangers: string[] = []

  record(value: unknown, where: string): Record<string, unknown> {
    // A non-null, non-array object can be read by key; what is under the keys stays unknown.
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    this.strangers.push(where)
    return {}
  }

  list(value: unknown, where: string): readonly unknown[] {
    if (Array.isArray(value)) return value
    if (value !== undefined && value !== null) this.strangers.push(where)
    return []
  }

  texts(value: unknown, where: string): readonly string[] {
    const entries = this.list(value, where)
    const texts = entries.filter((entry): entry is string => typeof entry === 'string')
    if (texts.length < entries.length) this.strangers.push(where)
    return texts
  }

  alternative(entry: unknown, block: string, names: Readonly<Record<string, string>>): Alternative {
    const inner = this.record(entry, block)[block]
    const fields = inner === undefined || inner === null ? {} : this.record(inner, block)
    const known = new Set([...Object.keys(names), ...Object.values(names)])
    this.strangers.push(...Object.keys(fields).filter((key) => !known.has(key)))
    const found = Object.entries(names).map(([name, negated]) => {
      const [values, notValues] = [this.texts(fields[name], name), this.texts(fields[negated], negated)]
      return [name, { values, notValues }] as const
    })
    return new Map(found.filter(([, { values, notValues }]) => values.length + notValues.length > 0))
  }

  condition(entry: unknown): Condition {
    const { key, values, notValues } = this.record(entry, 'when')
    if (typeof key !== 'string') this.strangers.push('when key')
    return { key: String(key), values: this.texts(values, 'values'), notValues: this.texts(notValues, 'notValues') }
  }
}
