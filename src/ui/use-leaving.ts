import { useApp } from 'ink'
import { useEffect, useState } from 'react'
import { initialRunState, type RunState } from '../model/run.ts'
import type { Backend, Saved } from './ports.ts'
import type { WalkSession } from './walk-session.ts'

export interface AppEnd {
  readonly state: RunState
  readonly saved: Saved | null
  readonly interrupted: boolean
}

/** A note that cannot be written within this time must not keep a terminal. */
const savingMs = 5000
/** What the walk has to end its commands in. */
const endingMs = 1000

interface Given {
  readonly backend: Backend
  readonly session: WalkSession | null
  /** Settles when the walk has sent its last event. */
  readonly ended: () => Promise<void>
  readonly signal: AbortSignal | undefined
  readonly onEnd: (end: AppEnd) => void
}

/** Leaving: the walk is told, the note is written, the last frame is drawn, then Ink ends. */
export function useLeaving({ backend, session, ended, signal, onEnd }: Given) {
  const { exit } = useApp()
  const [leaving, setLeaving] = useState<'no' | 'asked' | 'interrupted' | 'ready'>('no')

  useEffect(() => {
    if (leaving !== 'asked' && leaving !== 'interrupted') return
    let isCurrent = true
    const known = () => session?.snapshot().state ?? initialRunState
    const done = (saved: Saved | null) => {
      if (!isCurrent) return
      onEnd({ state: known(), saved, interrupted: leaving === 'interrupted' })
      setLeaving('ready')
    }
    session?.proceed({ do: 'quit' })
    session?.abort()
    const timer = setTimeout(() => done(null), savingMs)
    if (known().startedAt === null) done(null)
    else {
      // That it was interrupted is a fact of the note as well: the walk gets a moment for its last events.
      const patience = new Promise((resolve) => setTimeout(resolve, endingMs))
      Promise.race([ended(), patience])
        .then(() => backend.save(known()))
        .then(done, () => done(null))
    }
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [leaving, session, backend, onEnd, ended])

  // An exit right after the last dispatch would lose the last frame.
  useEffect(() => {
    if (leaving === 'ready') exit()
  }, [leaving, exit])

  useEffect(() => {
    if (!signal) return
    const interrupt = () => setLeaving((now) => (now === 'no' ? 'interrupted' : now))
    if (signal.aborted) interrupt()
    signal.addEventListener('abort', interrupt)
    return () => signal.removeEventListener('abort', interrupt)
  }, [signal])

  return {
    isLeaving: leaving !== 'no',
    leave: () => setLeaving('asked'),
    /** The second time it does not wait for the note. */
    interrupt: () => {
      if (leaving === 'no') return setLeaving('interrupted')
      onEnd({ state: session?.snapshot().state ?? initialRunState, saved: null, interrupted: true })
      setLeaving('ready')
    },
  }
}
