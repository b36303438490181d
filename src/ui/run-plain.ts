import type { Proceed, WalkPorts } from '../model/control.ts'
import { initialRunState, type RunEvent, type RunState, reduceRun } from '../model/run.ts'
import { exitCodeOf } from './closing.ts'
import { choose, numbered } from './plain/choose.ts'
import { askIntake, type Intake, type Talk } from './plain/intake.ts'
import { readLines } from './plain/line-reader.ts'
import { sentenceLines } from './plain/sentence-lines.ts'
import { eventSentences, explanationSentences, pasteSentences } from './plain/sentences.ts'
import type { Backend, GuidedEnd, GuidedOptions, Saved } from './ports.ts'
import { strip, stripLines } from './strip.ts'
import { summaryText } from './view/diagnosis.ts'
import { lastRuns, shortIds } from './view/ids.ts'
import { knownTexts } from './view/intake.ts'
import { railRows } from './view/rail.ts'
import { waitsFor } from './view/step.ts'
import { findingsAboutCall } from './walk-session.ts'

const keysText =
  'enter next · a auto · s skip · r retest · b back · g N go to step N · f finish · e evidence · o ID output · n TEXT note · x TERM explain · m note as Markdown · c copy · q quit'

/** The guided walk as sentences: for screen readers, `TERM=dumb` and whoever asks for it. Nothing is redrawn. */
export async function runPlain(
  first: Backend,
  options: Omit<GuidedOptions, 'colour' | 'onTerminal'>,
): Promise<GuidedEnd> {
  const reader = readLines(options.stdin)
  const aborter = new AbortController()
  const interrupt = () => aborter.abort()
  options.signal?.addEventListener('abort', interrupt)
  const gone = new Promise<null>((resolve) => aborter.signal.addEventListener('abort', () => resolve(null)))
  const talk: Talk = {
    say: (...lines) => {
      const told = lines.flatMap((sentence) => sentenceLines(strip(sentence), options.stdout.columns))
      options.stdout.write(`${told.join('\n')}\n`)
    },
    show: (...lines) => options.stdout.write(`${lines.map(strip).join('\n')}\n`),
    hear: async (prompt) => {
      options.stdout.write(`${prompt} `)
      return aborter.signal.aborted ? null : Promise.race([reader.next(), gone])
    },
  }
  try {
    const intake = await begin(first, talk, options, aborter.signal)
    if (!intake) return { exitCode: aborter.signal.aborted ? 130 : 0, state: initialRunState, saved: null }
    const { state, saved } = await walk(first, intake, talk, aborter, () => reader.take('esc'))
    talk.show(saved ? `Note saved: ${saved.notePath}` : 'No note was saved.')
    return { exitCode: exitCodeOf(state, aborter.signal.aborted && options.signal?.aborted === true), state, saved }
  } finally {
    options.signal?.removeEventListener('abort', interrupt)
    reader.close()
  }
}

async function begin(
  first: Backend,
  talk: Talk,
  options: Pick<GuidedOptions, 'open' | 'given'>,
  signal: AbortSignal,
): Promise<Intake> {
  const { open, given = {} } = options
  if (open && 'demo' in open) return { start: 'demo', id: open.demo }
  if (open && 'recording' in open) return { start: 'recording', path: open.recording }
  const backend = open && 'archive' in open ? await first.openArchive(open.archive, signal) : first
  const paste = open && 'paste' in open ? await backend.parsePaste(open.paste) : null
  if (paste) talk.say(...pasteSentences(paste, knownTexts(paste.given)))
  return askIntake(backend, talk, { ...given, ...paste?.given }, signal)
}

async function walk(
  first: Backend,
  intake: NonNullable<Intake>,
  talk: Talk,
  aborter: AbortController,
  wantsToGiveUp: () => boolean,
): Promise<{ state: RunState; saved: Saved | null }> {
  let state = initialRunState
  let auto = false
  let findings = 0
  let isFirstPause = true
  const backend = intake.start === 'walk' ? intake.backend : first
  const noteTakers = new Set<(text: string) => void>()
  const cancels = new Set<() => void>()
  const waits = new Map<string, number>()
  const slow = new Map<string, ReturnType<typeof setInterval>>()
  const ports: WalkPorts = {
    ask: async ({ text, why, choices }) => {
      talk.say('', text, `Why: ${why}`)
      const rows = choices.map(({ id, label }) => ({ text: label, value: id }))
      for (;;) {
        talk.say(...numbered(rows))
        const input = await talk.hear("number, or enter for I don't know:")
        if (input === null || input.trim() === '') return 'unknown'
        const chosen = choose(rows, input)
        if (chosen.is === 'one') return chosen.value
      }
    },
    pause: async ({ diagnosed }) => {
      // The engine asks at once; what it told before is said first.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const found = findingsAboutCall(state)
      const isNews = found > findings || diagnosed
      findings = found
      if (auto && !isNews) return { do: 'next' }
      auto = false
      if (diagnosed) await save()
      if (isFirstPause) talk.say(`Keys, each followed by enter: ${keysText}`)
      isFirstPause = false
      for (;;) {
        const input = await talk.hear(diagnosed ? 'r retest, m markdown, q quit:' : 'enter for next, ? for keys:')
        if (input === null) return { do: 'quit' }
        const wish = await obey(input.trim(), diagnosed)
        if (wish) return wish
      }
    },
    onCancelCommands: (listener) => {
      cancels.add(listener)
      return () => cancels.delete(listener)
    },
    onNote: (listener) => {
      noteTakers.add(listener)
      return () => noteTakers.delete(listener)
    },
  }
  let saved: Saved | null = null
  const save = async () => {
    // Not being able to write the note is said, and is no reason to lose the walk.
    saved = await backend.save(state).catch((error: unknown) => {
      talk.say(`The note could not be saved: ${error instanceof Error ? error.message : String(error)}`)
      return null
    })
  }

  async function obey(input: string, diagnosed: boolean): Promise<Proceed | null> {
    const [key = '', ...words] = input.split(/\s+/)
    const rest = words.join(' ')
    const idOf = shortIds(state)
    switch (key) {
      case '':
        return diagnosed ? null : { do: 'next' }
      case 'a':
        auto = true
        return { do: 'next' }
      case 's':
        return { do: 'skip' }
      case 'r':
        return { do: 'retest' }
      case 'b':
        return { do: 'back' }
      case 'f':
        return { do: 'finish' }
      case 'q':
        return { do: 'quit' }
      case 'g': {
        const step = railRows(state)[Number(rest) - 1]
        if (step) return { do: 'goto', step: step.id }
        talk.say(...railRows(state).map(({ n, label, remark }) => `${n}. ${label}${remark ? `, ${remark}` : ''}`))
        return null
      }
      case 'e':
        talk.say(
          ...lastRuns(state).flatMap(({ id, subject, learned, entry, display }) => [
            `${idOf(id)}, ${subject}: ${entry?.status === 'missing' ? `could not look, ${entry.detail ?? entry.reason ?? ''}` : (learned ?? 'running')}.`,
            `Its command: ${display}`,
          ]),
        )
        return null
      case 'o':
      case '$': {
        const id =
          rest === ''
            ? state.commands.at(-1)?.id
            : lastRuns(state).find((command) => idOf(command.id).toLowerCase() === rest.toLowerCase())?.id
        if (id) talk.show(...stripLines(await backend.rawOutput(id)))
        else talk.say('No such command. e lists them.')
        return null
      }
      case 'n':
        for (const take of noteTakers) take(rest)
        talk.say(rest === '' ? 'Write the note behind the n.' : 'Written into the note.')
        return null
      case 'x': {
        const explanation = await backend.explain(rest)
        talk.say(...(explanation ? explanationSentences(explanation) : [`Nothing is known here about ${rest}.`]))
        return null
      }
      case 'm':
        talk.show(...stripLines(await backend.renderNote(state, 'markdown')))
        return null
      case 'c': {
        const text = state.diagnosis ? summaryText(state.diagnosis) : (state.steps.at(-1)?.next?.command ?? '')
        talk.say(text === '' ? 'Nothing to copy.' : backend.copy(text) ? `Copied: ${text}` : text)
        return null
      }
    }
    const paste = await backend.parsePaste(input)
    talk.say(
      ...(paste ? pasteSentences(paste, knownTexts(paste.given)) : [`Keys, each followed by enter: ${keysText}`]),
    )
    return null
  }

  const whileSlow = (event: Extract<RunEvent, { type: 'command-started' }>) => {
    if (wantsToGiveUp()) for (const cancel of cancels) cancel()
    const waited = (waits.get(event.id) ?? 0) + 1
    waits.set(event.id, waited)
    // Said after two seconds, then rarely: somebody listens to every word.
    if (waited === 2 || waited % 10 === 0)
      talk.say(`${waited} seconds, waiting for ${waitsFor(event)}. esc and enter gives it up.`)
  }
  const takeIn = (event: RunEvent) => {
    const before = state
    state = reduceRun(state, event)
    const sentences = eventSentences(event, before, state)
    if (sentences.length > 0) talk.say(...sentences)
    if (event.type === 'command-started')
      slow.set(
        event.id,
        setInterval(() => whileSlow(event), 1000),
      )
    if (event.type === 'command-finished') clearInterval(slow.get(event.entry.id))
  }
  try {
    for await (const event of eventsOf(first, intake, ports, aborter.signal)) takeIn(event)
  } catch (error) {
    // The walk broke; what is known up to here is still worth a note.
    talk.say(`The walk broke off: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    for (const timer of slow.values()) clearInterval(timer)
  }
  if (state.startedAt !== null) await save()
  return { state, saved }
}

function eventsOf(
  first: Backend,
  intake: NonNullable<Intake>,
  ports: WalkPorts,
  signal: AbortSignal,
): AsyncIterable<RunEvent> {
  switch (intake.start) {
    case 'walk':
      return intake.backend.start(intake.given, ports, signal)
    case 'demo':
      return first.playDemo(intake.id, ports, signal)
    case 'recording':
      return first.openRecording(intake.path, ports, signal)
  }
}
