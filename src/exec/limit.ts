/** Runs at most `limit` tasks at a time, in the order in which they were asked for. */
export function createLimit(
  limit: number,
): <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T | 'canceled'> {
  const waiting: (() => void)[] = []
  let free = limit

  return async (task, signal) => {
    if (signal?.aborted) return 'canceled'
    if (free > 0) free--
    else if (!(await turn(waiting, signal))) return 'canceled'
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/** Waits for a place; false if the signal came first, and then no place is taken. */
function turn(waiting: (() => void)[], signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const start = () => {
      signal?.removeEventListener('abort', leave)
      resolve(true)
    }
    const leave = () => {
      const at = waiting.indexOf(start)
      if (at !== -1) waiting.splice(at, 1)
      resolve(false)
    }
    waiting.push(start)
    signal?.addEventListener('abort', leave, { once: true })
  })
}
