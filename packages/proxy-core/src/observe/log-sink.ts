import type { Clock, Unsubscribe } from '@heddle/runtime'
import type { AccessLogSink } from './access-log.js'

export interface BufferedSinkOptions {
  clock: Clock
  /** Writes a block of lines; a rejection loses the block and is told to `onError`. */
  write(block: string): Promise<void>
  onError?(error: unknown): void
  /** How long a line may wait. 100 by default. */
  flushIntervalMs?: number
  /** Characters after which a block is written at once. 65,536 by default. */
  maxBufferedLength?: number
  /** Lines are dropped, and counted, while more than this waits for a slow disk. 16 MiB by default. */
  maxPendingLength?: number
}

export interface BufferedSink extends AccessLogSink {
  /** Lines that a full buffer cost. */
  readonly dropped: number
  /** Resolves when everything written so far is out. */
  flush(): Promise<void>
}

/** Collects lines and writes them in blocks, one write at a time, in order. */
export function createBufferedSink(options: BufferedSinkOptions): BufferedSink {
  const { clock, flushIntervalMs = 100, maxBufferedLength = 65_536, maxPendingLength = 16 * 1024 * 1024 } = options
  let buffer = ''
  let pending = 0
  let dropped = 0
  let tail: Promise<void> = Promise.resolve()
  let timer: Unsubscribe | undefined

  const writeOut = (): void => {
    timer?.()
    timer = undefined
    if (buffer === '') return
    const block = buffer
    buffer = ''
    pending += block.length
    tail = tail
      .then(() => options.write(block))
      .catch((error: unknown) => options.onError?.(error))
      .then(() => {
        pending -= block.length
      })
  }

  return {
    get dropped() {
      return dropped
    },
    write(line) {
      if (pending + buffer.length > maxPendingLength) {
        dropped++
        return
      }
      buffer += line
      if (buffer.length >= maxBufferedLength) writeOut()
      else timer ??= clock.after(flushIntervalMs, writeOut)
    },
    flush() {
      writeOut()
      return tail
    },
  }
}
