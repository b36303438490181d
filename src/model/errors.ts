/** A parser met text that is not what it reads. It becomes evidence `missing: unreadable`, never a crash. */
export class ParseError extends Error {
  override readonly name = 'ParseError'
}

export type UserErrorKind = 'usage' | 'input' | 'unavailable' | 'forbidden'

/** The person asked for something we cannot do. Printed as message and hint, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly hint: string | undefined
  readonly kind: UserErrorKind
  constructor(message: string, hint?: string, kind: UserErrorKind = 'usage') {
    super(message)
    this.hint = hint
    this.kind = kind
  }
}
