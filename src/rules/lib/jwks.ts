import type { EnvoyListener } from '../../../parsers/proxy-config-listener.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'

/** The keys a proxy holds for one issuer. */
export interface HeldKeys {
  readonly issuer: string
  readonly keys: number
  /** istiod could not fetch the real ones and put a key there that no token fits. */
  readonly standIn: boolean
  readonly kids: readonly string[]
  readonly entry: string
  readonly excerpt: string
}

/** Keys whose private half is nobody's, as releases of istiod install them when a fetch fails. */
const standInKeys: readonly RegExp[] = [
  /^RXJyb3ItSXN0aW9kRmFpbGVkVG9GZXRjaEp3a3NVcmkt/,
  /^vqS7RN4b34i3_5YyhygtBe33/,
  /^0xObjM0UvS_oaazjpEYlAbwc/,
]

/** What the JWT filter of a proxy holds, one entry an issuer. Null when its listeners were not read. */
export function heldKeys(situation: Situation, pod: PodView): readonly HeldKeys[] | null {
  const listeners = situation.of<readonly EnvoyListener[]>('listeners', pod)
  if (!listeners) return null
  const byIssuer = new Map<string, HeldKeys>()
  for (const listener of listeners.data) {
    for (const chain of [
      ...(listener.filterChains ?? []),
      ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : []),
    ]) {
      for (const { typedConfig } of chain.filters ?? []) {
        for (const filter of typedConfig?.httpFilters ?? []) {
          for (const provider of Object.values<Provider>(filter?.typedConfig?.providers ?? {})) {
            const inline = provider?.localJwks?.inlineString
            const issuer = provider?.issuer ?? ''
            if (typeof inline === 'string' && !byIssuer.has(issuer))
              byIssuer.set(issuer, { issuer, entry: listeners.entry, ...readKeys(inline) })
          }
        }
      }
    }
  }
  return [...byIssuer.values()]
}

interface Provider {
  readonly issuer?: string
  readonly localJwks?: { readonly inlineString?: string }
}

function readKeys(inline: string): Pick<HeldKeys, 'keys' | 'standIn' | 'kids' | 'excerpt'> {
  const keys = parseKeys(inline)
  const standIn = keys.some(({ n }) => typeof n === 'string' && standInKeys.some((pattern) => pattern.test(n)))
  const kids = keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))
  return { keys: keys.length, standIn, kids, excerpt: `localJwks: ${inline.slice(0, 160)}` }
}

function parseKeys(inline: string): readonly Record<string, unknown>[] {
  try {
    const { keys }: { keys?: unknown } = JSON.parse(inline)
    return Array.isArray(keys) ? keys : []
  } catch {
    return []
  }
}
