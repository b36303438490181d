import type { Given, Target } from '../model/call.ts'

/** The address a target is, where somebody typed one instead of a name. */
export function addressOf(target: Target | null): string | null {
  return target !== null && target.kind === null && /^\d+\.\d+\.\d+\.\d+$/.test(target.name) ? target.name : null
}

/** What was given without targets that are addresses: who has those is looked up, as for addresses of a pasted line. */
export function withoutAddresses(given: Given, isNobodys: (ip: string) => boolean): Given {
  const to = addressOf(given.to)
  return {
    ...given,
    from: addressOf(given.from) === null ? given.from : null,
    // An address that is nobody's in the cluster is a host outside it.
    to: to === null || isNobodys(to) ? given.to : null,
  }
}
