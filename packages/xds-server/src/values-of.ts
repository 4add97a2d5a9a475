import type { Watch } from '@heddle/runtime'

/**
 * A watch as an async iterable: its value now, then each later one, `for await (const set of valuesOf(watch, { signal }))`. Who is slow gets the newest
 * and not what was in between. Ends with the loop, or when the signal is aborted.
 */
export async function* valuesOf<T>(
  watch: Watch<T>,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<T, void, undefined> {
  let wake = (): void => {}
  let changed = true
  const note = (): void => {
    changed = true
    wake()
  }
  const stop = watch.subscribe(note)
  signal?.addEventListener('abort', note)
  try {
    while (signal?.aborted !== true) {
      if (changed) {
        changed = false
        yield watch.current
        continue
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    stop()
    signal?.removeEventListener('abort', note)
  }
}
