import { type FoundRunbook, findRunbooks, readRunbookFile } from '../library/find-runbooks.ts'
import type { Catalogue } from '../library/read-runbook.ts'
import type { SymptomId } from '../model/call.ts'
import { UserError } from '../model/errors.ts'
import type { Runbook } from '../model/runbook.ts'
import { evidenceKeys } from '../probes/index.ts'
import { rules } from '../rules/index.ts'

export const catalogue: Catalogue = { evidenceKeys, ruleCodes: new Set(rules.map(({ code }) => code)) }

export function allRunbooks(userFolder: string | null): readonly FoundRunbook[] {
  return findRunbooks(catalogue, userFolder)
}

/** The runbook for a symptom, or the file or id that was named. */
export function chooseRunbook(symptom: SymptomId, named: string | undefined, userFolder: string | null): Runbook {
  if (named?.includes('/') || named?.endsWith('.yaml')) return readRunbookFile(named, catalogue).runbook
  const books = allRunbooks(userFolder).map(({ runbook }) => runbook)
  const chosen =
    named === undefined
      ? books.find(({ symptoms }) => symptoms.includes(symptom))
      : books.find(({ id }) => id === named)
  // Somebody who cannot say what they see gets the runbook that looks at everything on the way.
  const fallback = named === undefined ? books.find(({ id }) => id === 'http-503') : undefined
  const runbook = chosen ?? fallback
  if (!runbook)
    throw new UserError(`no runbook is called ${named}`, `there are: ${books.map(({ id }) => id).join(', ')}`)
  return runbook
}
