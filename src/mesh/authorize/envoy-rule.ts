import { conditionField, type Field, operationFields, sourceFields } from './fields.ts'
import type { EvaluationContext } from './request.ts'
import type { Alternative, RuleShape, Values } from './rule-shape.ts'
import { all, any, no, not, type Outcome, unknown, yes } from './three-valued.ts'

export type Action = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'

export interface RuleVerdict extends Outcome {
  /** The rule is not in the proxy's filter at all. */
  readonly dropped: boolean
  /** Fields that the chain cannot test, so that the rule covers more than its author wrote. */
  readonly ignoredFields: readonly string[]
}

/**
 * Tests one rule as the Envoy chain does. What a TCP chain cannot test makes an ALLOW rule vanish (nothing is admitted by half a rule);
 * any other rule only loses the field and so covers more.
 */
export function testEnvoyRule(rule: RuleShape, action: Action, context: EvaluationContext): RuleVerdict {
  if (rule.strangers.length > 0)
    return verdict(unknown(`unknown field ${rule.strangers.join(', ')}`, ...rule.strangers.map(stranger)))
  const uses: FieldUse[] = []
  for (const condition of rule.when) {
    const field = conditionField(condition.key)
    if (field === null) return dropped(`istiod drops the rule: it does not know the key ${condition.key}`)
    if (field === 'malformed' && action === 'ALLOW')
      return dropped(`istiod drops the rule: malformed key ${condition.key}`)
    if (field !== 'malformed' && hasValues(condition)) uses.push(use(field, condition))
  }
  const from = rule.from.map((source) => alternative(source, sourceFields))
  const to = rule.to.map((operation) => alternative(operation, operationFields))

  const everything = [...uses, ...from.flat(), ...to.flat()]
  const isTcp = context.request.protocol === 'tcp'
  const httpOnly = isTcp ? everything.filter(({ field }) => field.httpOnly) : []
  const ignoredFields = [...new Set(httpOnly.map(label))]
  if (action === 'ALLOW') {
    if (ignoredFields.length > 0)
      return dropped(
        `not on this TCP port: an ALLOW rule with HTTP fields (${ignoredFields.join(', ')}) is left out whole`,
      )
    const invalid = everything.flatMap(({ field, values, notValues }) =>
      [...values, ...notValues].filter((value) => field.isInvalid?.(value)),
    )
    if (invalid.length > 0) return dropped(`istiod drops the rule: it cannot read ${invalid.join(', ')}`)
  }

  const test = (fields: readonly FieldUse[]) =>
    all(fields.filter(({ field }) => !(isTcp && field.httpOnly)).map((entry) => testField(entry, context)))
  const outcome = all([
    ...(from.length > 0 ? [any(from.map(test))] : []),
    ...(to.length > 0 ? [any(to.map(test))] : []),
    test(uses),
  ])
  return { ...explain(outcome), dropped: false, ignoredFields }
}

interface FieldUse extends Values {
  readonly field: Field
}

function use(field: Field, { values, notValues }: Values): FieldUse {
  return { field, values, notValues }
}

function alternative(block: Alternative, fields: readonly Field[]): readonly FieldUse[] {
  return fields.flatMap((field) => {
    const entry = block.get(field.name)
    return entry ? [use(field, entry)] : []
  })
}

/** Values are alternatives; of the unwanted ones none may fit. Both count when both are written. */
function testField({ field, values, notValues }: FieldUse, context: EvaluationContext): Outcome {
  const readable = (list: readonly string[]) =>
    list
      .filter((value) => !field.isInvalid?.(value))
      .flatMap((value) => field.expand?.(value, context) ?? [value])
      .map((value) => field.test(value, context))
  const parts: Outcome[] = []
  const [wanted, unwanted] = [readable(values), readable(notValues)]
  if (wanted.length > 0) parts.push(named(`${field.name} [${values.join(', ')}]`, any(wanted)))
  if (unwanted.length > 0) parts.push(named(`not ${field.name} [${notValues.join(', ')}]`, not(any(unwanted))))
  return all(parts)
}

function named(name: string, outcome: Outcome): Outcome {
  return { ...outcome, because: `${name}: ${outcome.because}` }
}

function explain(outcome: Outcome): Outcome {
  return outcome.truth === 'yes' && outcome.because === '' ? yes('the rule asks for nothing') : outcome
}

function hasValues({ values, notValues }: Values): boolean {
  return values.length > 0 || notValues.length > 0
}

function label({ field, values }: FieldUse): string {
  return values.length > 0 ? field.name : `not ${field.name}`
}

function stranger(name: string) {
  return { attribute: name, wouldSettle: `the meaning of ${name} in this release of Istio` }
}

function verdict(outcome: Outcome): RuleVerdict {
  return { ...outcome, dropped: false, ignoredFields: [] }
}

function dropped(because: string): RuleVerdict {
  return { ...no(because), dropped: true, ignoredFields: [] }
}
