/** Events from many sources, read one after the other by the generator. */
export interface Queue<T> {
  readonly push: (item: T) => void
  readonly close: () => void
  readonly drain: () => AsyncGenerator<T, void>
}

export function createQueue<T>(): Queue<T> {
  const items: T[] = []
  let closed = false
  let wake: (() => void) | null = null
  const notify = () => {
    wake?.()
    wake = null
  }
  return {
    push(item) {
      items.push(item)
      notify()
    },
    close() {
      closed = true
      notify()
    },
    async *drain() {
      for (;;) {
        while (items.length > 0) yield items.shift() as T // length was checked
        if (closed) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
