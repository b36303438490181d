import { useEffect, useState } from 'react'
import type { Backend, Listing } from './ports.ts'
import { useNow } from './screen.ts'

/** Read when it is needed, once; the keys never wait for it. */
export function useListing(read: Backend['listCallers'], isNeeded: boolean, now: () => number) {
  const [listing, setListing] = useState<Listing | null>(null)
  const [since, setSince] = useState(now)
  const at = useNow(now, isNeeded && listing === null)
  useEffect(() => {
    if (!isNeeded || listing) return
    const aborter = new AbortController()
    setSince(now())
    read(aborter.signal).then(
      (found) => aborter.signal.aborted || setListing(found),
      (error: unknown) =>
        aborter.signal.aborted ||
        setListing({
          items: [],
          blind: { reason: error instanceof Error ? error.message : String(error), unlock: null },
        }),
    )
    return () => aborter.abort()
  }, [read, isNeeded, listing, now])
  return { listing, waited: Math.floor((at - since) / 1000) }
}
