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
  return findRunbook(symptom, named, userFolder).runbook
}

/** The same, and where it was found. */
export function findRunbook(symptom: SymptomId, named: string | undefined, userFolder: string | null): FoundRunbook {
  if (named?.includes('/') || named?.endsWith('.yaml')) return readRunbookFile(named, catalogue)
  const withId = (id: string) => findRunbooks(catalogue, userFolder, id).find(({ runbook }) => runbook.id === id)
  const chosen =
    named === undefined
      ? findRunbooks(catalogue, userFolder, symptom).find(({ runbook }) => runbook.symptoms.includes(symptom))
      : withId(named)
  // Somebody who cannot say what they see gets the runbook that looks at everything on the way.
  const found = chosen ?? (named === undefined ? withId('http-503') : undefined)
  if (!found)
    throw new UserError(
      `no runbook is called ${named}`,
      `there are: ${allRunbooks(userFolder)
        .map(({ runbook }) => runbook.id)
        .join(', ')}`,
    )
  return found
}
