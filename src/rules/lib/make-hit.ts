import type { ConfigObject } from '../../mesh/config-object.ts'
import { type Fix, type Hit, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import { quoteLine, type Situation } from '../../situation/situation.ts'
import { firstFailing } from './deciding-line.ts'
import { editCommand, undoEdit } from './front.ts'

type Optional = 'contradicting' | 'wouldDecide' | 'about'

/** A hit about this call; what is not said is empty. */
export function hitOf(hit: Omit<Hit, Optional> & Partial<Pick<Hit, Optional>>): Hit {
  // Statements begin with whoever decided: `the gateway …`. Names of objects stay as they are.
  const statement = hit.statement.replace(/^the /, 'The ')
  return { contradicting: [], wouldDecide: null, about: 'call', ...hit, statement }
}

/** One object, changed by hand at one place. */
export function editFix(object: ConfigObject, statement: string, scope: string, risk: string): Fix {
  return { statement, commands: [editCommand(object)], scope, risk, undo: undoEdit(object) }
}

/** What a rule says when its sign is missing: the failing lines give another reason, or there is nothing to say. */
export function signMissing(situation: Situation, because: string): RuleOutcome {
  const other = firstFailing(situation)
  return other ? ruledOut(because, quoteLine(other, 'another reason stands here')) : quiet
}
