import { classify } from '../engine/classify.ts'
import type { Command, CommandResult } from '../model/command.ts'
import { UserError, type UserErrorKind } from '../model/errors.ts'
import type { MissingReason } from '../model/missing.ts'

const kinds: Partial<Record<MissingReason, UserErrorKind>> = {
  'tool-missing': 'unavailable',
  'no-cluster': 'unavailable',
  unreachable: 'unavailable',
  'timed-out': 'unavailable',
  forbidden: 'forbidden',
  unauthenticated: 'forbidden',
  'exec-denied': 'forbidden',
  'port-forward-denied': 'forbidden',
}

/** Where one command is all there is to run, its failure is the answer: in the tool's words, with what would unlock it. */
export function failedCommand(result: CommandResult, command: Command): UserError {
  const { reason, detail, unlock } = classify(result, command)
  return new UserError(detail, unlock, kinds[reason] ?? 'input')
}
