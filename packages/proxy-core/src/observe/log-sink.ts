import type { Clock, Unsubscribe } from '@heddle/runtime'
import type { AccessLogSink } from './access-log.js'

export interface BufferedSinkOptions {
  clock: Clock
  /** Writes a block of lines, whose memory is used again afterwards; a rejection loses the block and is told to `onError`. */
  write(block: Buffer): Promise<void>
  onError?(error: unknown): void
  /** How long a line may wait. 100 by default. */
  flushIntervalMs?: number
  /** Bytes after which a block is written at once. 65,536 by default. */
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

// A UTF-16 unit takes no more in UTF-8.
const MOST_BYTES_PER_UNIT = 3
const ROOM_FOR_A_LINE = 8192

/** Collects lines and writes them in blocks, one write at a time, in order. Lines become bytes at once: texts that wait are dear to collect. */
export function createBufferedSink(options: BufferedSinkOptions): BufferedSink {
  const { clock, flushIntervalMs = 100, maxBufferedLength = 65_536, maxPendingLength = 16 * 1024 * 1024 } = options
  const blockBytes = maxBufferedLength + ROOM_FOR_A_LINE
  let block: Buffer | undefined
  let spare: Buffer | undefined
  let used = 0
  let pending = 0
  let dropped = 0
  let tail: Promise<void> = Promise.resolve()
  let timer: Unsubscribe | undefined

  const writeOut = (): void => {
    timer?.()
    timer = undefined
    if (block === undefined || used === 0) return
    const full = block
    const lines = full.subarray(0, used)
    block = undefined
    used = 0
    pending += lines.length
    tail = tail
      .then(() => options.write(lines))
      .catch((error: unknown) => options.onError?.(error))
      .then(() => {
        pending -= lines.length
        if (full.length === blockBytes) spare = full
      })
  }

  const blockFor = (bytes: number): Buffer => {
    if (block !== undefined && used + bytes > block.length) writeOut()
    if (block === undefined) {
      block = bytes <= blockBytes ? (spare ?? Buffer.allocUnsafeSlow(blockBytes)) : Buffer.allocUnsafeSlow(bytes)
      if (block === spare) spare = undefined
    }
    return block
  }

  return {
    get dropped() {
      return dropped
    },
    write(line) {
      if (pending + used > maxPendingLength) {
        dropped++
        return
      }
      const bytes = blockFor(line.length * MOST_BYTES_PER_UNIT)
      used += bytes.write(line, used)
      if (used >= maxBufferedLength) writeOut()
      else timer ??= clock.after(flushIntervalMs, writeOut)
    },
    flush() {
      writeOut()
      return tail
    },
  }
}
