import { UserError } from '../model/errors.ts'
import type { Io } from './io.ts'

export interface GuideOptions {
  readonly open?:
    | { readonly demo: string }
    | { readonly recording: string }
    | { readonly archive: string }
    | { readonly paste: string }
}

/** Starts the guided walk. */
export async function guide(_io: Io, _options: GuideOptions = {}): Promise<number> {
  throw new UserError('the guided walk is not wired yet')
}
