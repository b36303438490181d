/** One key as screens know it: `enter`, `esc`, `up`, `ctrl-c`, `paste`, or the character itself. */
export interface Press {
  readonly token: string
  /** What it would write into a text field. */
  readonly text: string
}

export interface Binding<Action extends string = string> {
  readonly does: Action
  /** The first one is shown, unless `shows` says otherwise. */
  readonly keys: readonly string[]
  readonly shows?: string
  /** In the bar at the bottom; empty: only in the list of keys. */
  readonly label: string
  readonly help: string
}

/** In order of importance: a narrow screen drops from the end, except for the last two. */
export const walkKeys = [
  { does: 'next', keys: ['enter'], label: 'next', help: 'next step; on another layer of the rail: go there' },
  {
    does: 'auto',
    keys: ['a'],
    label: 'auto',
    help: 'walk on without stopping until something is found; again to stop',
  },
  { does: 'cancel', keys: ['esc'], label: '', help: 'give up the commands that run; back to the current step' },
  { does: 'retest', keys: ['r'], label: 'retest', help: "run this step's commands again" },
  { does: 'back', keys: ['b', 'left', 'h'], label: 'back', help: 'back to the step before' },
  { does: 'evidence', keys: ['e'], label: 'evidence', help: 'everything that was looked at, with filter' },
  { does: 'raw', keys: ['$'], label: 'raw', help: 'what the command printed, with search' },
  { does: 'explain', keys: ['x'], label: 'explain', help: 'explain a flag, a code or a word on this screen' },
  { does: 'skip', keys: ['s'], label: 'skip', help: 'leave out the step that would come next' },
  { does: 'note', keys: ['n'], label: 'note', help: 'write a line into the note, with the time' },
  { does: 'copy', keys: ['c'], label: 'copy', help: 'copy the command' },
  { does: 'finish', keys: ['f'], label: 'finish', help: 'stop looking: diagnose with what is known' },
  { does: 'diagnosis', keys: ['d'], label: '', help: 'to the diagnosis, once there is one' },
  {
    does: 'up',
    keys: ['up', 'k'],
    shows: '↑↓ j k 1–9',
    label: '',
    help: 'up and down the rail; a digit marks that layer, enter goes there',
  },
  { does: 'down', keys: ['down', 'j'], label: '', help: '' },
  {
    does: 'pageDown',
    keys: [' ', 'pagedown', 'right', 'l'],
    shows: 'space',
    label: '',
    help: 'scroll the step; page up goes back',
  },
  { does: 'pageUp', keys: ['pageup'], label: '', help: '' },
  { does: 'help', keys: ['?'], label: 'keys', help: 'this list' },
  { does: 'quit', keys: ['q'], label: 'quit', help: 'leave; the note is written first' },
] as const satisfies readonly Binding[]

export const diagnosisKeys = [
  { does: 'retest', keys: ['r'], label: 'retest', help: 'run the deciding command again: fixed, changed or the same' },
  { does: 'markdown', keys: ['m'], label: 'markdown', help: 'the note as Markdown' },
  { does: 'copy', keys: ['c'], label: 'copy summary', help: 'copy the summary' },
  { does: 'evidence', keys: ['e'], label: 'evidence', help: 'everything that was looked at, with filter' },
  { does: 'explain', keys: ['x'], label: 'explain', help: 'explain a flag, a code or a word on this screen' },
  { does: 'back', keys: ['b', 'left', 'h'], label: 'steps', help: 'back to the steps of the walk' },
  { does: 'note', keys: ['n'], label: 'note', help: 'write a line into the note, with the time' },
  { does: 'raw', keys: ['$'], label: '', help: 'what the commands printed, with search' },
  { does: 'copyCommand', keys: ['C'], label: '', help: 'copy the command that decides or checks' },
  { does: 'other', keys: ['tab'], label: '', help: 'with more than two suspects: the next pair' },
  { does: 'down', keys: ['down', 'j', 'pagedown', ' '], shows: '↑↓ j k', label: '', help: 'scroll' },
  { does: 'up', keys: ['up', 'k', 'pageup'], label: '', help: '' },
  { does: 'help', keys: ['?'], label: 'keys', help: 'this list' },
  { does: 'quit', keys: ['q'], label: 'quit', help: 'leave; the note is saved' },
] as const satisfies readonly Binding[]

export const questionKeys = [
  { does: 'choose', keys: ['enter'], label: 'answer', help: 'give the marked answer; a digit gives that one at once' },
  { does: 'up', keys: ['up', 'k'], shows: '↑↓', label: 'choose', help: 'up and down the answers' },
  { does: 'down', keys: ['down', 'j'], label: '', help: '' },
  { does: 'explain', keys: ['x'], label: 'explain', help: 'explain a flag, a code or a word on this screen' },
  { does: 'evidence', keys: ['e'], label: 'evidence', help: 'everything that was looked at so far' },
  { does: 'unknown', keys: ['esc'], label: "I don't know", help: 'answer "I don\'t know"' },
  { does: 'help', keys: ['?'], label: 'keys', help: 'this list' },
  { does: 'quit', keys: ['q'], label: 'quit', help: 'leave; the note is written first' },
] as const satisfies readonly Binding[]

export const pickKeys = [
  {
    does: 'up',
    keys: ['up', 'ctrl-p'],
    shows: '↑↓',
    label: 'choose',
    help: 'up and down the list, also ctrl-p and ctrl-n; page up, page down, home, end',
  },
  { does: 'choose', keys: ['enter'], label: 'take', help: 'take the marked line' },
  {
    does: 'paste',
    keys: ['paste'],
    label: '',
    help: 'paste a log line or curl -v output at any time: it is answered at once',
  },
  { does: 'filter', keys: ['type'], label: '', help: 'letters narrow the list, in any order of words' },
  { does: 'down', keys: ['down', 'ctrl-n'], label: '', help: '' },
  { does: 'pageUp', keys: ['pageup'], label: '', help: '' },
  { does: 'pageDown', keys: ['pagedown'], label: '', help: '' },
  { does: 'back', keys: ['esc'], label: 'back', help: 'clear the filter; then one question back' },
  { does: 'help', keys: ['?'], label: 'keys', help: 'this list' },
  { does: 'quit', keys: ['ctrl-c'], label: 'quit', help: 'leave' },
] as const satisfies readonly Binding[]

/** On the first question nothing begins with q, so it leaves as everywhere else. */
export const firstKeys: readonly Binding[] = pickKeys.map((binding) =>
  binding.does === 'quit' ? { ...binding, keys: ['q', 'ctrl-c'] } : binding,
)

export const evidenceKeys = [
  { does: 'open', keys: ['enter', '$', 'right', 'l'], label: 'raw output', help: 'what this command printed' },
  { does: 'filter', keys: ['/'], label: 'filter', help: 'narrow the list' },
  { does: 'copy', keys: ['c'], label: 'copy command', help: 'copy the command' },
  { does: 'up', keys: ['up', 'k'], shows: '↑↓ j k', label: '', help: 'up and down, by page, first and last (g, G)' },
  { does: 'down', keys: ['down', 'j'], label: '', help: '' },
  { does: 'pageUp', keys: ['pageup'], label: '', help: '' },
  { does: 'pageDown', keys: ['pagedown', ' '], label: '', help: '' },
  { does: 'top', keys: ['home', 'g'], label: '', help: '' },
  { does: 'bottom', keys: ['end', 'G'], label: '', help: '' },
  { does: 'explain', keys: ['x'], label: 'explain', help: 'explain a flag, a code or a word on this screen' },
  { does: 'help', keys: ['?'], label: 'keys', help: 'this list' },
  { does: 'close', keys: ['esc', 'e', 'q', 'left', 'h', 'b'], label: 'close', help: 'back to where you were' },
] as const satisfies readonly Binding[]

export const textKeys = [
  { does: 'search', keys: ['/'], label: 'search', help: 'search; n and N go to the next and previous hit' },
  { does: 'nextHit', keys: ['n'], shows: 'n N', label: '', help: '' },
  { does: 'previousHit', keys: ['N'], label: '', help: '' },
  {
    does: 'next',
    keys: ['tab', 'right', 'l'],
    label: 'next command',
    help: 'output of the next command (tab, arrows)',
  },
  { does: 'previous', keys: ['shift-tab', 'left', 'h'], label: '', help: '' },
  { does: 'copy', keys: ['c'], label: 'copy', help: 'copy the command, or the text where there is none' },
  {
    does: 'up',
    keys: ['up', 'k'],
    shows: '↑↓ j k g G',
    label: '',
    help: 'scroll by line, by page, to the top (g), to the end (G)',
  },
  { does: 'down', keys: ['down', 'j', 'enter'], label: '', help: '' },
  { does: 'pageUp', keys: ['pageup', 'ctrl-b'], label: '', help: '' },
  { does: 'pageDown', keys: ['pagedown', ' ', 'ctrl-f'], label: '', help: '' },
  { does: 'top', keys: ['home', 'g'], label: '', help: '' },
  { does: 'bottom', keys: ['end', 'G'], label: '', help: '' },
  { does: 'explain', keys: ['x'], label: 'explain', help: 'explain a flag, a code or a word on this screen' },
  { does: 'help', keys: ['?'], label: 'keys', help: 'this list' },
  { does: 'close', keys: ['esc', 'q', '$', 'b'], label: 'close', help: 'back to where you were' },
] as const satisfies readonly Binding[]

export const explainKeys = [
  { does: 'up', keys: ['up', 'ctrl-p', 'shift-tab'], label: '', help: 'which term' },
  { does: 'down', keys: ['down', 'tab', 'ctrl-n'], label: 'next term', help: '' },
  { does: 'type', keys: ['type'], label: 'any word, flag or code', help: 'type or paste something else' },
  { does: 'pageUp', keys: ['pageup'], label: '', help: 'scroll the text' },
  { does: 'pageDown', keys: ['pagedown'], label: '', help: '' },
  { does: 'close', keys: ['esc'], label: 'close', help: 'clear what was typed; then back to where you were' },
] as const satisfies readonly Binding[]

export const fieldKeys = [
  { does: 'accept', keys: ['enter'], label: 'done', help: 'take what is written' },
  { does: 'close', keys: ['esc'], label: 'cancel', help: 'back without it' },
] as const satisfies readonly Binding[]

export const leaveKeys = [
  { does: 'leave', keys: ['q', 'enter'], label: 'leave', help: 'leave; the note is written with what is known' },
  { does: 'finish', keys: ['f'], label: 'diagnose first', help: 'diagnose with what is known' },
  { does: 'stay', keys: ['esc'], label: 'stay', help: 'back' },
] as const satisfies readonly Binding[]

export const pasteKeys = [
  { does: 'go', keys: ['enter'], label: 'walk on with this', help: 'go on with what it says: it is not asked again' },
  { does: 'explain', keys: ['x'], label: 'explain', help: 'explain a flag, a code or a word in it' },
  { does: 'down', keys: ['down', 'j', 'pagedown', ' '], shows: '↑↓ j k', label: '', help: 'scroll' },
  { does: 'up', keys: ['up', 'k', 'pageup'], label: '', help: '' },
  { does: 'close', keys: ['esc', 'q'], label: 'discard', help: 'back without it' },
] as const satisfies readonly Binding[]

export const helpKeys = [
  { does: 'down', keys: ['down', 'j', 'pagedown', ' '], shows: '↑↓ j k', label: '', help: 'scroll' },
  { does: 'up', keys: ['up', 'k', 'pageup'], label: '', help: '' },
  { does: 'close', keys: ['esc', '?', 'q', 'enter'], label: 'close', help: 'back to where you were' },
] as const satisfies readonly Binding[]

export function actionFor<Action extends string>(table: readonly Binding<Action>[], press: Press): Action | null {
  return table.find(({ keys }) => keys.includes(press.token))?.does ?? null
}

const shown: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  ' ': 'space',
  pageup: 'page up',
  pagedown: 'page down',
  'shift-tab': 'shift tab',
  'ctrl-c': 'ctrl-c',
}

export function keyName(token: string): string {
  return shown[token] ?? token
}

/** How a binding's keys are written on the screen. */
export function keyText({ keys, shows }: Binding, most = 1): string {
  return shows ?? keys.slice(0, most).map(keyName).join(' ')
}
