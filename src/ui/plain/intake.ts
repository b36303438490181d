import { emptyGiven, type Given, type Target } from '../../model/call.ts'
import type { Backend, ClusterFacts, Listing, WorkloadItem } from '../ports.ts'
import { type Ask, asksOf, atPort, knownTexts, mergeGiven, saysOf } from '../view/intake.ts'
import { type Choosable, choose, numbered } from './choose.ts'
import { clusterSentence, explanationSentences, itemSentence, pasteSentences } from './sentences.ts'

/** Says lines, and waits for one. `null`: nobody is there any more. */
export interface Talk {
  /** Sentences, broken at words where the terminal ends. */
  readonly say: (...lines: readonly string[]) => void
  /** Text of a tool or of the note, as it is. */
  readonly show: (...lines: readonly string[]) => void
  readonly hear: (prompt: string) => Promise<string | null>
}

export type Intake =
  | { readonly start: 'walk'; readonly given: Given; readonly backend: Backend }
  | { readonly start: 'demo'; readonly id: string }
  | { readonly start: 'recording'; readonly path: string }
  | null

type First = Given['symptom'] | { readonly other: 'demo' | 'recording' | 'archive' }

/** The questions of the first screens, as numbered choices. */
export async function askIntake(
  first: Backend,
  talk: Talk,
  said: Partial<Given>,
  signal: AbortSignal,
): Promise<Intake> {
  let backend = first
  let given = said
  const facts: ClusterFacts = await backend.cluster(signal)
  talk.say(
    'meshtriage: finds out who answers for a failing call in an Istio mesh. It only reads.',
    clusterSentence(facts),
  )
  const takePaste = (more: Partial<Given>) => {
    given = mergeGiven(given, more)
  }
  while (given.symptom === undefined) {
    const rows: Choosable<First>[] = [
      ...backend.symptoms.map(({ id, title, says }) => ({
        text: [title, saysOf({ title, says }).join(', ')].filter(Boolean).join(': '),
        says: says.join(' '),
        value: id,
      })),
      ...(backend.demos.length > 0
        ? [{ text: 'play a demo, needs no cluster', value: { other: 'demo' as const } }]
        : []),
      { text: 'open a recorded session', value: { other: 'recording' as const } },
      { text: 'open a bug-report archive', value: { other: 'archive' as const } },
    ]
    const picked = await pick(
      talk,
      backend,
      'What do the callers see? A number, some letters, or paste a log line',
      rows,
      takePaste,
    )
    if (picked.is === 'gone') return null
    if (picked.is === 'answered') continue
    const choice = picked.value
    if (typeof choice === 'string') given = { ...given, symptom: choice }
    else if (choice.other === 'demo') {
      const demo = await pick(
        talk,
        backend,
        'Which demo?',
        backend.demos.map(({ id, title }) => ({ text: title, value: id })),
        takePaste,
      )
      if (demo.is === 'chosen') return { start: 'demo', id: demo.value }
    } else {
      const path = await talk.hear(`Path of the ${choice.other}:`)
      if (path === null) return null
      if (choice.other === 'recording' && path !== '') return { start: 'recording', path }
      if (choice.other === 'archive' && path !== '') backend = await openArchive(first, path, talk, signal)
    }
  }
  const asks = [...asksOf(backend, given.symptom, false)]
  for (let ask = asks.shift(); ask; ask = asks.shift()) {
    if (given[ask] || (ask === 'to' && given.host && given.from)) continue
    const answer = await askEnd(backend, talk, ask, asks.includes('to'), takePaste, signal)
    if (answer === undefined) return null
    if (answer === 'outside') asks.unshift('host')
    else if (answer && !given[ask]) given = { ...given, [ask]: ask === 'host' ? hostText(answer) : answer }
  }
  return { start: 'walk', given: { ...emptyGiven(given.symptom ?? 'unknown'), ...given }, backend }
}

async function openArchive(first: Backend, path: string, talk: Talk, signal: AbortSignal): Promise<Backend> {
  try {
    return await first.openArchive(path, signal)
  } catch (error) {
    talk.say(`The archive could not be read: ${error instanceof Error ? error.message : String(error)}`)
    return first
  }
}

const questions = {
  from: {
    reads: 'Reading the workloads …',
    question: 'Who calls? A number, some letters, or NAME.NAMESPACE',
    list: 'listCallers',
  },
  workload: {
    reads: 'Reading the workloads …',
    question: 'Which workload? A number, some letters, or NAME.NAMESPACE',
    list: 'listCallers',
  },
  host: {
    reads: 'Reading the hosts of gateways and routes …',
    question: 'Which host do they ask for? A number, some letters, or the name in the URL',
    list: 'listHosts',
  },
  to: {
    reads: 'Reading the Services …',
    question: 'Who is called? A number, some letters, or NAME.NAMESPACE:PORT',
    list: 'listDestinations',
  },
} as const

function hostText({ name, namespace }: Target): string {
  return namespace === null ? name : `${name}.${namespace}`
}

async function askEnd(
  backend: Backend,
  talk: Talk,
  ask: Ask,
  hasDestination: boolean,
  takePaste: (given: Partial<Given>) => void,
  signal: AbortSignal,
): Promise<Target | 'outside' | null | undefined> {
  const { reads, question, list } = questions[ask === 'from' && !hasDestination ? 'workload' : ask]
  talk.say(reads)
  const failed = (error: unknown): Listing => ({
    items: [],
    blind: { reason: error instanceof Error ? error.message : String(error), unlock: null },
  })
  const listing = await backend[list](signal).catch(failed)
  if (listing.blind) talk.say(`The list could not be read: ${listing.blind.reason}. Type the name instead.`)
  const items = [...listing.items].sort((a, b) => Number(b.suspicious !== null) - Number(a.suspicious !== null))
  const rows: Choosable<Target | 'outside' | null>[] = [
    { text: "I don't know", value: null },
    ...(ask === 'from' && hasDestination
      ? [{ text: 'somebody outside the cluster, through a gateway', value: 'outside' as const }]
      : []),
    ...items.map((item) => ({ text: itemSentence(item), says: item.target.text, value: item.target })),
  ]
  const choice = await pick(talk, backend, question, rows, takePaste, (text) => backend.target(text))
  if (choice.is === 'gone') return undefined
  if (choice.is === 'answered' || choice.value === null) return null
  if (choice.value === 'outside') return 'outside'
  const ports = items.find(({ target }) => target === choice.value)?.ports ?? []
  if (ask !== 'to' || choice.value.port !== null || ports.length === 0) return choice.value
  return askPort(backend, talk, choice.value, ports, takePaste)
}

/** Policies, TLS modes and routes may differ from port to port. */
async function askPort(
  backend: Backend,
  talk: Talk,
  target: Target,
  ports: WorkloadItem['ports'],
  takePaste: (given: Partial<Given>) => void,
): Promise<Target> {
  const [only] = ports
  if (ports.length === 1 && only) return atPort(target, only.port)
  const rows: Choosable<number | null>[] = [
    { text: "I don't know", value: null },
    ...ports.map(({ port, name }) => ({ text: name ? `${port}, ${name}` : `${port}`, value: port })),
  ]
  const choice = await pick(talk, backend, 'Which port?', rows, takePaste)
  return choice.is === 'chosen' && choice.value !== null ? atPort(target, choice.value) : target
}

type Picked<Value> =
  | { readonly is: 'chosen'; readonly value: Value }
  /** A pasted text was understood, and may have changed what is asked. */
  | { readonly is: 'answered' }
  | { readonly is: 'gone' }

/** Asks until something is chosen. */
async function pick<Value>(
  talk: Talk,
  backend: Backend,
  question: string,
  rows: readonly Choosable<Value>[],
  takePaste: (given: Partial<Given>) => void,
  typed?: (text: string) => Value,
): Promise<Picked<Value>> {
  let shown = rows
  for (;;) {
    talk.say('', `${question}:`, ...numbered(shown))
    const input = await talk.hear('>')
    if (input === null || input === 'q') return { is: 'gone' }
    if (input.trim() === '') continue
    const paste = input.length > 12 ? await backend.parsePaste(input) : null
    if (paste) {
      talk.say(...pasteSentences(paste, knownTexts(paste.given)))
      takePaste(paste.given)
      return { is: 'answered' }
    }
    const chosen = choose(shown, input)
    if (chosen.is === 'one') return { is: 'chosen', value: chosen.value }
    if (chosen.is === 'several') {
      shown = chosen.rows
      continue
    }
    shown = rows
    const value = typed ? tryTyped(typed, input.trim()) : undefined
    if (value !== undefined) return { is: 'chosen', value }
    const explanation = await backend.explain(input)
    talk.say(...(explanation ? explanationSentences(explanation) : ['Nothing fits.']))
  }
}

function tryTyped<Value>(typed: (text: string) => Value, text: string): Value | undefined {
  try {
    return typed(text)
  } catch {
    // Not a name either: the question is asked again.
    return undefined
  }
}
