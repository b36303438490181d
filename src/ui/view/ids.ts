import type { CommandState, RunState } from '../../model/run.ts'

/** The engine names evidence by what was asked of whom; a screen has room for `C7`, in the order of the commands. */
export function shortIds(state: RunState): (entry: string) => string {
  const places = new Map<string, number>()
  for (const { id } of state.commands) if (!places.has(id)) places.set(id, places.size + 1)
  return (entry) => {
    const place = places.get(entry)
    return place === undefined ? (entry === 'given' ? 'pasted' : entry) : `C${place}`
  }
}

/** Each once, as it ran last: a retest runs the same again. */
export function lastRuns(state: RunState): CommandState[] {
  const last = new Map<string, CommandState>()
  for (const command of state.commands) last.set(command.id, command)
  return [...last.values()]
}
