import { useEffect, useState } from 'react'
import type { RunState } from '../model/run.ts'
import type { Backend, Saved } from './ports.ts'

export type SavedNote = Saved | { readonly failed: string } | null

/** The note is on the disk before anybody asks for it, and again after every retest and every line written. */
export function useSavedNote(backend: Backend, state: RunState): SavedNote {
  const [saved, setSaved] = useState<SavedNote>(null)
  const { diagnosis, retests, notes } = state
  const version = diagnosis ? `${retests.length}.${notes.length}` : null
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says when there is something new to save
  useEffect(() => {
    if (version === null) return
    let isCurrent = true
    backend.save(state).then(
      (done) => isCurrent && setSaved(done),
      (error: unknown) => isCurrent && setSaved({ failed: error instanceof Error ? error.message : String(error) }),
    )
    return () => {
      isCurrent = false
    }
  }, [version, diagnosis])
  return saved
}
