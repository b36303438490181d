import { useEffect, useState } from 'react'
import type { Given, SymptomId } from '../model/call.ts'
import type { WalkPorts } from '../model/control.ts'
import type { RunEvent, RunState } from '../model/run.ts'
import type { Binding } from './keys.ts'
import { type Line, line, span } from './lines.ts'
import type { Backend, Paste, SessionItem } from './ports.ts'
import { Evidence } from './screens/Evidence.tsx'
import { Explain, type ExplainFrom } from './screens/Explain.tsx'
import { Help } from './screens/Help.tsx'
import { Leave } from './screens/Leave.tsx'
import { PasteAnswer } from './screens/PasteAnswer.tsx'
import { Pick } from './screens/Pick.tsx'
import { type Page, TextView } from './screens/TextView.tsx'
import { Write } from './screens/Write.tsx'
import { lastRuns } from './view/ids.ts'
import { timeOfDay } from './view/wording.ts'

/** Screens that lie over the intake, the walk or the diagnosis, and give way to it again. */
export type Overlay =
  | { readonly kind: 'help'; readonly table: readonly Binding[] }
  | { readonly kind: 'evidence' | 'note' | 'markdown' | 'pasteHere' | 'recordings' | 'archive' | 'leave' }
  | { readonly kind: 'raw'; readonly command: string | null }
  | { readonly kind: 'explain'; readonly from: ExplainFrom }
  | { readonly kind: 'paste'; readonly paste: Paste; readonly text: string }
  | { readonly kind: 'demos'; readonly symptom: SymptomId | null }

interface Props {
  readonly overlays: readonly Overlay[]
  readonly backend: Backend
  readonly state: RunState
  readonly canFinish: boolean
  readonly isWalking: boolean
  readonly flash: string | null
  readonly onOpen: (overlay: Overlay) => void
  readonly onClose: () => void
  readonly onCopy: (text: string) => void
  readonly onExplain: (text: string, here: string) => void
  readonly onHelp: (which: 'evidence' | 'text' | 'pick') => void
  readonly onPaste: (text: string) => void
  readonly onUsePaste: (given: Partial<Given>, text: string) => void
  readonly onNote: (text: string) => void
  readonly onPlay: (events: (ports: WalkPorts, signal: AbortSignal) => AsyncIterable<RunEvent>) => void
  readonly onArchive: (path: string) => void
  readonly onLeave: () => void
  readonly onFinish: () => void
}

/** Those underneath stay mounted, so that a filter or a place in a list is still there afterwards. */
export function Overlays(props: Props) {
  return props.overlays.map((overlay, index) => {
    // A stack: the place is the identity.
    const place = `${index}-${overlay.kind}`
    return <One key={place} overlay={overlay} isActive={index === props.overlays.length - 1} props={props} />
  })
}

function One({
  overlay,
  isActive,
  props,
}: {
  readonly overlay: Overlay
  readonly isActive: boolean
  readonly props: Props
}) {
  const { backend, state, flash, onClose, onCopy, onExplain, onPaste } = props
  const text = { isActive, flash, onCopy, onExplain, onClose, onHelp: () => props.onHelp('text') }
  switch (overlay.kind) {
    case 'help':
      return <Help isActive={isActive} table={overlay.table} onClose={onClose} />
    case 'evidence':
      return (
        <Evidence
          isActive={isActive}
          state={state}
          flash={flash}
          onRaw={(command) => props.onOpen({ kind: 'raw', command })}
          onCopy={onCopy}
          onExplain={onExplain}
          onHelp={() => props.onHelp('evidence')}
          onClose={onClose}
        />
      )
    case 'raw':
      return <TextView {...text} pages={rawPages(backend, state)} first={overlay.command} />
    case 'markdown':
      return <TextView {...text} pages={[notePage(backend, state)]} first={null} />
    case 'explain':
      return <Explain isActive={isActive} from={overlay.from} explain={backend.explain} onClose={onClose} />
    case 'note':
      return (
        <Write
          isActive={isActive}
          title="Note"
          label="note"
          about="A line for the incident note: what you did, what you saw, who you told. The time is added."
          before={state.notes.map(({ at, text: said }) => `${timeOfDay(at)}  ${said}`)}
          onDone={(said) => {
            props.onNote(said)
            onClose()
          }}
          onClose={onClose}
        />
      )
    case 'pasteHere':
      return (
        <Write
          isActive={isActive}
          title="Paste"
          label="▸"
          about="Paste an access-log line, several of them, curl -v output, or what istioctl printed. It is answered at once."
          hint="paste here"
          flash={flash}
          onPaste={onPaste}
          onDone={onPaste}
          onClose={onClose}
        />
      )
    case 'paste':
      return (
        <PasteAnswer
          isActive={isActive}
          paste={overlay.paste}
          text={overlay.text}
          goes={props.isWalking ? 'keep it in the note' : 'walk on with this'}
          onGo={() => props.onUsePaste(overlay.paste.given, overlay.text)}
          onExplain={(text) => onExplain(text, text)}
          onClose={onClose}
        />
      )
    case 'demos':
      return <Demos isActive={isActive} symptom={overlay.symptom} props={props} />
    case 'recordings':
      return <Recordings isActive={isActive} props={props} />
    case 'archive':
      return (
        <Write
          isActive={isActive}
          title="Open a bug-report archive"
          label="path"
          about="What `istioctl bug-report` wrote: bug-report.tar.gz, or the folder it was unpacked into."
          hint="./bug-report.tar.gz"
          flash={flash}
          onDone={props.onArchive}
          onClose={onClose}
        />
      )
    case 'leave':
      return (
        <Leave
          isActive={isActive}
          canFinish={props.canFinish}
          onLeave={props.onLeave}
          onFinish={props.onFinish}
          onStay={onClose}
        />
      )
  }
}

const offline: Line[] = [line(span('Recorded: nothing is run, no cluster is needed.', 'dim'))]

function Demos({
  isActive,
  symptom,
  props,
}: {
  readonly isActive: boolean
  readonly symptom: SymptomId | null
  readonly props: Props
}) {
  const { backend } = props
  const ofSymptom = symptom === null ? [] : backend.demos.filter((demo) => demo.symptom === symptom)
  const rest = backend.demos.filter((demo) => !ofSymptom.includes(demo))
  return (
    <Pick
      isActive={isActive}
      title={[line(span('Demo', 'accent'))]}
      question="Which incident?"
      why="Each was recorded on a mesh and is walked with today's rules."
      notices={offline}
      flash={props.flash}
      rows={[...ofSymptom, ...rest].map(({ id, title, symptom: shows }) => ({
        id,
        label: title,
        detail: shows,
        value: id,
      }))}
      onChoose={(id) => props.onPlay((ports, signal) => backend.playDemo(id, ports, signal))}
      onBack={props.onClose}
      onPaste={props.onPaste}
      onHelp={() => props.onHelp('pick')}
      onQuit={props.onLeave}
    />
  )
}

function Recordings({ isActive, props }: { readonly isActive: boolean; readonly props: Props }) {
  const { backend } = props
  const [sessions, setSessions] = useState<readonly SessionItem[] | null>(null)
  useEffect(() => {
    let isCurrent = true
    backend.sessions().then(
      (found) => isCurrent && setSessions(found),
      () => isCurrent && setSessions([]),
    )
    return () => {
      isCurrent = false
    }
  }, [backend])
  const none =
    sessions?.length === 0 ? [line(span('No session has been recorded here yet. Type the path of one.', 'dim'))] : []
  const reading = sessions === null ? [line(span('looking for recorded sessions …', 'dim'))] : []
  return (
    <Pick
      isActive={isActive}
      title={[line(span('Recorded session', 'accent'))]}
      question="Which session? Or type the path of its folder."
      why="A session is a folder with everything that was run, as it was printed (redacted)."
      notices={[...reading, ...none]}
      flash={props.flash}
      rows={(sessions ?? []).map(({ path, title, when }) => ({
        id: path,
        label: title,
        detail: when,
        says: path,
        value: path,
      }))}
      typed={(path) => [{ id: 'typed', label: `open ${path}`, detail: '', value: path }]}
      onChoose={(path) => props.onPlay((ports, signal) => backend.openRecording(path, ports, signal))}
      onBack={props.onClose}
      onPaste={(path) => props.onPlay((ports, signal) => backend.openRecording(path.trim(), ports, signal))}
      onHelp={() => props.onHelp('pick')}
      onQuit={props.onLeave}
    />
  )
}

function rawPages(backend: Backend, state: RunState): Page[] {
  return lastRuns(state).map(({ id, display, entry }) => ({
    id,
    title: `$ ${display}`,
    copies: display,
    load: async () => {
      const printed = entry ? await backend.rawOutput(id) : 'still running: nothing printed yet'
      const missing = entry?.status === 'missing' ? `could not look: ${entry.reason ?? ''} ${entry.detail ?? ''}` : ''
      return printed.trim() === '' ? missing : printed
    },
  }))
}

function notePage(backend: Backend, state: RunState): Page {
  return { id: 'note', title: 'note.md', copies: null, load: async () => backend.renderNote(state, 'markdown') }
}
