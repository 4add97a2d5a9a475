import type { Connection } from './connection.js'
import { HeldBytes } from './held-bytes.js'

/**
 * Looks at the first bytes of a connection without taking them. `look` is shown everything that has come; when it answers
 * anything but undefined, the bytes are put back, but for the first `taken(answer)` of them, and the promise resolves with the
 * answer. Resolves with undefined when the connection ends before, or `giveUp` is called.
 */
export function peek<T>(
  connection: Connection,
  look: (bytes: Uint8Array) => T | undefined,
  taken: (answer: T) => number = () => 0,
): { readonly found: Promise<T | undefined>; giveUp(): void } {
  const held = new HeldBytes()
  let settle: (value: T | undefined) => void = () => {}
  const found = new Promise<T | undefined>((resolve) => {
    settle = resolve
  })
  let done = false
  const finish = (value: T | undefined): void => {
    if (done) return
    done = true
    connection.pause()
    connection.handle(WAITING)
    const gone = value === undefined ? 0 : taken(value)
    held.skip(gone)
    connection.bytesReceived -= gone
    connection.unread(held.take())
    settle(value)
  }
  connection.handle({
    onData(bytes) {
      held.append(bytes)
      const value = look(held.peek())
      if (value !== undefined) finish(value)
    },
    onEnd() {
      finish(undefined)
    },
    onDrain() {},
    onClose() {
      done = true
      settle(undefined)
    },
  })
  connection.resume()
  return { found, giveUp: () => finish(undefined) }
}

const WAITING = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }
