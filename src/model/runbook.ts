import { z } from 'zod'
import { SymptomId } from './call.ts'
import { Layer } from './layer.ts'

/** When a branch is taken. Exactly one key; rules compute, runbooks only route. */
export interface Condition {
  /** A rule with this code fired. */
  readonly found?: string | undefined
  /** This evidence was asked for and could not be had. */
  readonly missing?: string | undefined
  /** A question was answered so: `QUESTION:CHOICE`. */
  readonly answer?: string | undefined
  readonly all?: readonly Condition[] | undefined
  readonly any?: readonly Condition[] | undefined
  readonly not?: Condition | undefined
}

const conditionKeys = ['found', 'missing', 'answer', 'all', 'any', 'not'] as const

// A union of shapes would only say "Invalid input"; a strict object with a refinement names the wrong key.
export const Condition: z.ZodType<Condition> = z.lazy(() =>
  z
    .strictObject({
      found: z.string().optional(),
      missing: z.string().optional(),
      answer: z.string().optional(),
      all: z.array(Condition).min(1).optional(),
      any: z.array(Condition).min(1).optional(),
      not: Condition.optional(),
    })
    .refine((condition) => conditionKeys.filter((key) => condition[key] !== undefined).length === 1, {
      message: `a condition is exactly one of ${conditionKeys.join(', ')}`,
    }),
)

export const Branch = z.strictObject({
  when: Condition.optional(),
  /** A step of this runbook, or `diagnosis`. */
  goto: z.string(),
  because: z.string(),
})

export const Ask = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  text: z.string(),
  why: z.string(),
  choices: z.array(z.strictObject({ id: z.string(), label: z.string() })).min(2),
})

export const Step = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** One word for the rail. */
  label: z.string().max(14),
  layer: Layer,
  title: z.string(),
  /** What this step proves or rules out, in words for a tired person. */
  proves: z.string(),
  /** Evidence keys, ROLE.PROBE. They run side by side. */
  collect: z.array(z.string()).default([]),
  ask: Ask.optional(),
  /** First branch whose condition holds; the last one has none. */
  next: z.array(Branch).min(1),
})

export const Runbook = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  /** How people say it: what the intake shows and filters by. */
  says: z.array(z.string()).min(1),
  symptoms: z.array(SymptomId).min(1),
  about: z.string(),
  steps: z.array(Step).min(1),
})
export type Runbook = z.infer<typeof Runbook>
export type RunbookStep = z.infer<typeof Step>
export type Branch = z.infer<typeof Branch>
