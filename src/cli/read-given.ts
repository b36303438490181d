import { Given } from '../model/call.ts'
import { UserError } from '../model/errors.ts'

/** The call a session was about, as it was given. */
export function readGiven(call: unknown, folder: string): Given {
  const parsed = Given.safeParse(call)
  if (parsed.success) return parsed.data
  throw new UserError(
    `${folder}: the session does not say which call it was about`,
    'it was made by another version, or is damaged',
    'input',
  )
}
