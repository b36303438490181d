import type { Hit } from '../../model/finding.ts'

type Optional = 'contradicting' | 'wouldDecide' | 'about'

/** A hit with the usual silence filled in: nothing contradicts it, nothing is left to decide, and it is about this call. */
export function hit(said: Omit<Hit, Optional> & Partial<Pick<Hit, Optional>>): Hit {
  return { contradicting: [], wouldDecide: null, about: 'call', ...said }
}
