import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { Given } from '../model/call.ts'
import type { WalkPorts } from '../model/control.ts'
import type { RunEvent } from '../model/run.ts'
import { type Binding, diagnosisKeys, evidenceKeys, pickKeys, questionKeys, textKeys, walkKeys } from './keys.ts'
import { type Overlay, Overlays } from './Overlays.tsx'
import type { Backend, ClusterFacts, GuidedOptions } from './ports.ts'
import { PressContext, usePressSource } from './press-source.ts'
import { ScreenContext, useTerminalSize } from './screen.ts'
import { Diagnosed } from './screens/Diagnosed.tsx'
import { Intake } from './screens/Intake.tsx'
import { Walk, type WalkRequest } from './screens/Walk.tsx'
import { type AppEnd, useLeaving } from './use-leaving.ts'
import { usePlaced } from './use-placed.ts'
import { useSavedNote } from './use-saved-note.ts'
import { type FirstChoice, mergeGiven, withoutSymptom } from './view/intake.ts'
import { count } from './view/wording.ts'
import { createWalk, type WalkSession } from './walk-session.ts'

interface Props {
  readonly backend: Backend
  readonly options: Pick<GuidedOptions, 'colour' | 'given' | 'open' | 'signal'>
  readonly now: () => number
  readonly onEnd: (end: AppEnd) => void
}

/** Which screen is shown, and what its wishes lead to. Everything about the mesh comes from the walk's state. */
export function App({ backend: first, options, now, onEnd }: Props) {
  const size = useTerminalSize()
  const [backend, setBackend] = useState(first)
  const [archive, setArchive] = useState<string | null>(null)
  const [facts, setFacts] = useState<ClusterFacts | null>(null)
  const [asked, setAsked] = useState(0)
  const [given, setGiven] = useState<Partial<Given>>(options.given ?? {})
  const [session, setSession] = useState<WalkSession | null>(null)
  const [showsSteps, setShowsSteps] = useState(false)
  const [overlays, setOverlays] = useState<readonly Overlay[]>([])
  const lastWalk = useRef<Promise<void>>(Promise.resolve())
  const ended = useCallback(() => lastWalk.current, [])
  const idle = useMemo(() => createWalk(now), [now])
  const walk = useSyncExternalStore((session ?? idle).subscribe, (session ?? idle).snapshot)
  const { state } = walk
  // What was said about a moment does not outlive it.
  const [flash, setFlash] = usePlaced<string | null>(`${walk.paused?.step} ${walk.question?.id}`, null)

  const open = useCallback((overlay: Overlay) => setOverlays((all) => [...all, overlay]), [])
  const close = useCallback(() => setOverlays((all) => all.slice(0, -1)), [])
  const begin = useCallback(
    (events: (ports: WalkPorts, signal: AbortSignal) => AsyncIterable<RunEvent>) => {
      const next = createWalk(now)
      setSession(next)
      setOverlays([])
      setShowsSteps(false)
      lastWalk.current = next.follow(events(next.ports, next.signal))
    },
    [now],
  )

  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` counts the tries
  useEffect(() => {
    const aborter = new AbortController()
    first.cluster(aborter.signal).then(
      (found) => aborter.signal.aborted || setFacts(found),
      (error: unknown) =>
        aborter.signal.aborted ||
        setFacts({
          context: null,
          istio: null,
          reachable: false,
          why: error instanceof Error ? error.message : String(error),
        }),
    )
    return () => aborter.abort()
  }, [first, asked])

  const openArchive = useCallback(
    (path: string) => {
      setFlash('reading the archive …')
      first.openArchive(path, new AbortController().signal).then(
        (offline) => {
          setBackend(offline)
          setArchive(path.split('/').at(-1) ?? path)
          setFlash(null)
          setOverlays([])
        },
        (error: unknown) =>
          setFlash(`the archive could not be read: ${error instanceof Error ? error.message : String(error)}`),
      )
    },
    [first, setFlash],
  )

  const paste = useCallback(
    (text: string) => {
      const unknown = () => setFlash('not recognised: paste a log line, curl -v output, a flag or a code')
      const read = async () => {
        const known = await backend.parsePaste(text)
        if (known) return open({ kind: 'paste', paste: known, text })
        return (await backend.explain(text)) ? open({ kind: 'explain', from: { term: text.trim() } }) : unknown()
      }
      read().catch(unknown)
    },
    [backend, open, setFlash],
  )

  // A walk that could not even begin (no such recording, a broken runbook) leads back to the questions.
  useEffect(() => {
    if (!walk.failed || state.startedAt !== null) return
    setSession(null)
    setGiven(withoutSymptom)
    setFlash([walk.failed.message, walk.failed.hint].filter(Boolean).join(' · '))
  }, [walk.failed, state.startedAt, setFlash])

  // What was asked on the command line comes first, once.
  const opened = useRef(false)
  useEffect(() => {
    if (opened.current || !options.open) return
    opened.current = true
    const wish = options.open
    if ('demo' in wish) begin((ports, signal) => first.playDemo(wish.demo, ports, signal))
    else if ('recording' in wish) begin((ports, signal) => first.openRecording(wish.recording, ports, signal))
    else if ('archive' in wish) openArchive(wish.archive)
    else paste(wish.paste)
  }, [options.open, first, begin, openArchive, paste])

  const saved = useSavedNote(backend, state)
  const { diagnosis } = state
  const { isLeaving, leave, interrupt } = useLeaving({ backend, session, ended, signal: options.signal, onEnd })

  const source = usePressSource((press) => {
    if (press.token === 'ctrl-c') {
      interrupt()
      return true
    }
    if (flash) setFlash(null)
    return isLeaving
  })

  const copy = (text: string) =>
    setFlash(backend.copy(text) ? `copied: ${text}` : `cannot copy here, mark it instead: ${text}`)
  const isDiagnosed = diagnosis !== null && !showsSteps
  const keys: readonly Binding[] = !session
    ? pickKeys
    : isDiagnosed
      ? diagnosisKeys
      : walk.question
        ? questionKeys
        : walkKeys
  const request = (wish: WalkRequest | { readonly open: 'markdown' | 'steps' }) => {
    switch (wish.open) {
      case 'help':
        return open({ kind: 'help', table: keys })
      case 'evidence':
        return open({ kind: 'evidence' })
      case 'note':
        return open({ kind: 'note' })
      case 'raw':
        return state.commands.length === 0
          ? setFlash('no command has run yet')
          : open({ kind: 'raw', command: wish.command })
      case 'explain':
        return open({ kind: 'explain', from: { screen: wish.text, ...(wish.here ? { here: wish.here } : {}) } })
      case 'markdown':
        return open({ kind: 'markdown' })
      case 'copy':
        return copy(wish.text)
      case 'paste':
        return paste(wish.text)
      case 'diagnosis':
        return setShowsSteps(false)
      case 'steps':
        return setShowsSteps(true)
      case 'quit':
        return walk.over || diagnosis ? leave() : open({ kind: 'leave' })
    }
  }
  const other = (choice: Exclude<FirstChoice['do'], 'symptom'>) => {
    switch (choice) {
      case 'paste':
        return open({ kind: 'pasteHere' })
      case 'explain':
        return open({ kind: 'explain', from: null })
      case 'demos':
        return open({ kind: 'demos', symptom: null })
      case 'recordings':
        return open({ kind: 'recordings' })
      case 'archive':
        return open({ kind: 'archive' })
      case 'reconnect':
        setFacts(null)
        setFlash('asking the cluster again …')
        return setAsked(asked + 1)
      case 'quit':
        return leave()
    }
  }

  const isCovered = overlays.length > 0
  return (
    <ScreenContext.Provider value={{ ...size, colour: options.colour }}>
      <PressContext.Provider value={source}>
        {!session && (
          <Intake
            key={archive ?? 'live'}
            isActive={!isCovered}
            backend={backend}
            facts={facts}
            given={given}
            archive={archive}
            flash={flash}
            now={now}
            onGiven={setGiven}
            onStart={(complete) => begin((ports, signal) => backend.start(complete, ports, signal))}
            onOther={other}
            onPaste={paste}
            onHelp={(table) => open({ kind: 'help', table })}
            onFlash={setFlash}
            onNoCluster={(symptom) => {
              const fitting = backend.demos.filter((demo) => demo.symptom === symptom)
              const why = facts?.why ? `: ${facts.why}` : ''
              if (fitting.length === 0) return setFlash(`a walk needs a cluster${why}`)
              setFlash(`a walk needs a cluster${why} · ${count(fitting.length, 'demo')} of this symptom`)
              open({ kind: 'demos', symptom })
            }}
          />
        )}
        {session && !isDiagnosed && (
          <Walk
            isActive={!isCovered}
            walk={walk}
            session={session}
            flash={flash}
            now={now}
            onRequest={request}
            onFlash={setFlash}
          />
        )}
        {session && diagnosis && !showsSteps && (
          <Diagnosed
            isActive={!isCovered}
            walk={walk}
            diagnosis={diagnosis}
            session={session}
            saved={saved}
            flash={flash}
            onRequest={request}
            onFlash={setFlash}
          />
        )}
        <Overlays
          overlays={overlays}
          backend={backend}
          state={state}
          canFinish={walk.paused !== null && !diagnosis}
          isWalking={session !== null}
          flash={flash}
          onOpen={open}
          onClose={close}
          onCopy={copy}
          onExplain={(text, here) => open({ kind: 'explain', from: { screen: text, here } })}
          onHelp={(which) =>
            open({ kind: 'help', table: which === 'evidence' ? evidenceKeys : which === 'text' ? textKeys : pickKeys })
          }
          onPaste={paste}
          onUsePaste={(more, text) => {
            setOverlays([])
            if (session) return session.note(`pasted: ${text.slice(0, 2000)}`)
            setGiven(mergeGiven(given, more))
          }}
          onNote={(text) => {
            ;(session ?? idle).note(text)
            setFlash('written into the note')
          }}
          onPlay={begin}
          onArchive={openArchive}
          onLeave={() => leave()}
          onFinish={() => {
            setOverlays([])
            session?.proceed({ do: 'finish' })
          }}
        />
      </PressContext.Provider>
    </ScreenContext.Provider>
  )
}
