import { UserError } from '../model/errors.ts'
import { readInput } from './commands/diagnose.ts'
import type { Io } from './io.ts'

/** A JSON object of claims, or a token whose claims are taken out; its signature goes nowhere. */
export async function readClaims(io: Io, path: string): Promise<Record<string, unknown>> {
  const text = await readInput(io, path, '--jwt')
  const word = text.trim().replace(/^Bearer\s+/i, '')
  const token = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(word)
  const claims = parsed(token?.[1] ? Buffer.from(token[1], 'base64url').toString('utf8') : text)
  if (claims !== null) return claims
  throw new UserError(
    `--jwt ${path}: no JSON object of claims`,
    'for example {"iss": "https://issuer.example", "sub": "me", "aud": "ledger"}',
    'input',
  )
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null // a JSON object
  } catch {
    return null
  }
}
