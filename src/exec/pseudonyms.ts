import { createHmac } from 'node:crypto'

/** What a word is the name of. It stays visible in the pseudonym, so that a note can still be read. */
export type NameKind = 'ip' | 'host' | 'ns' | 'pod' | 'svc' | 'sa' | 'node' | 'name'

export interface Pseudonyms {
  /** The same name always gets the same pseudonym, so that what belongs together can still be joined. */
  readonly of: (kind: NameKind, name: string) => string
  /** Replaces all addresses, and those names that were met with `of` before. */
  readonly text: (text: string) => string
  /** Pseudonym → name. It stays with the person; never part of what is handed on. */
  readonly reverse: () => ReadonlyMap<string, string>
}

const ipv4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/g
const ipv6 =
  /(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?=(?:[0-9a-f:]*::))(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?)(?![\w:])/gi
/** Say where something listens, not who somebody is. */
const wellKnown = /^(?:0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.255\.255\.255|::1?|169\.254\.169\.254)$/
const isPseudonym = /^(?:ip|host|ns|pod|svc|sa|node|name)-[0-9a-f]{10}$/

/** Names made unreadable, with a salt that belongs to one session: two sessions cannot be joined. */
export function createPseudonyms(salt: string): Pseudonyms {
  const forward = new Map<string, string>()
  const backward = new Map<string, string>()
  let names: RegExp | undefined

  const of = (kind: NameKind, name: string) => {
    if (isPseudonym.test(name) || (kind === 'ip' && wellKnown.test(name))) return name
    const known = forward.get(name)
    if (known) return known
    const pseudonym = `${kind}-${createHmac('sha256', salt).update(name).digest('hex').slice(0, 10)}`
    forward.set(name, pseudonym)
    backward.set(pseudonym, name)
    names = undefined
    return pseudonym
  }
  const knownNames = () => {
    // Longest first: `web-canary` before `web`, so that no half of a name is left.
    const sorted = [...forward.keys()].sort((left, right) => right.length - left.length).map(literally)
    return sorted.length > 0 ? new RegExp(`(?<![A-Za-z0-9-])(?:${sorted.join('|')})(?![A-Za-z0-9-])`, 'g') : /(?!)/g
  }
  return {
    of,
    text: (text) => {
      names ??= knownNames()
      return text
        .replace(names, (name) => forward.get(name) ?? name)
        .replace(ipv4, (address) => of('ip', address))
        .replace(ipv6, (address) => of('ip', address))
    },
    reverse: () => backward,
  }
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
