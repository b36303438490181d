/** A rule of `spec.rules`, read from an object that may hold anything. */
export interface RuleShape {
  readonly from: readonly Alternative[]
  readonly to: readonly Alternative[]
  readonly when: readonly Condition[]
  /** Fields of a source or operation that we do not know: a newer release may have added them. */
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
  const { from, to, when } = record(rule)
  const sources = list(from).map((entry) => record(record(entry).source))
  const operations = list(to).map((entry) => record(record(entry).operation))
  return {
    from: sources.map((source) => readAlternative(source, sourceNames)),
    to: operations.map((operation) => readAlternative(operation, operationNames)),
    when: list(when)
      .map(record)
      .map((condition) => ({
        key: String(condition.key ?? ''),
        values: texts(condition.values),
        notValues: texts(condition.notValues),
      })),
    strangers: [
      ...sources.flatMap((source) => strangers(source, sourceNames)),
      ...operations.flatMap((operation) => strangers(operation, operationNames)),
    ],
  }
}

function readAlternative(block: Record<string, unknown>, names: Readonly<Record<string, string>>): Alternative {
  const fields = new Map<string, Values>()
  for (const [name, negated] of Object.entries(names)) {
    const [values, notValues] = [texts(block[name]), texts(block[negated])]
    if (values.length > 0 || notValues.length > 0) fields.set(name, { values, notValues })
  }
  return fields
}

function strangers(block: Record<string, unknown>, names: Readonly<Record<string, string>>): string[] {
  const known = new Set([...Object.keys(names), ...Object.values(names)])
  return Object.keys(block).filter((key) => !known.has(key))
}

function record(value: unknown): Record<string, unknown> {
  // Anything else has no fields to read.
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function texts(value: unknown): readonly string[] {
  return list(value).map(String)
}
