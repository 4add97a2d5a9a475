import type { Connection, ConnectionHandler } from './connection.js'

const STAGING_BYTES = 64 * 1024

// What one side read goes to the other by one copy: read buffers belong to their sockets only during the call.
let staging = Buffer.allocUnsafeSlow(STAGING_BYTES)

export interface Copying {
  /** Bytes from the first connection to the second, and back. */
  readonly forth: number
  readonly back: number
}

/**
 * Joins two connections until both have ended: bytes, half-closes and resets of each reach the other, and a slow reader slows
 * its writer. `over` is called once, when both are closed: with the error that ended them, and the side that it came from.
 */
export function joinConnections(
  first: Connection,
  second: Connection,
  over: (error?: Error, from?: Connection) => void,
): Copying {
  const copying = { forth: 0, back: 0 }
  let open = 2
  let reason: Error | undefined
  let culprit: Connection | undefined
  const closed = (from: Connection, error?: Error): void => {
    if (reason === undefined && error !== undefined) {
      reason = error
      culprit = from
    }
    if (--open === 0) over(reason, culprit)
  }
  first.handle(
    towards(first, second, closed, (count) => {
      copying.forth += count
    }),
  )
  second.handle(
    towards(second, first, closed, (count) => {
      copying.back += count
    }),
  )
  first.resume()
  second.resume()
  return copying
}

function towards(
  from: Connection,
  to: Connection,
  closed: (from: Connection, error?: Error) => void,
  count: (bytes: number) => void,
): ConnectionHandler {
  return {
    onData(bytes) {
      count(bytes.length)
      if (!send(to, bytes)) from.pause()
    },
    onEnd: () => to.end(),
    onDrain: () => to.resume(),
    onClose(error) {
      // Without a reset the other side has got its half-close, and may still have something to say.
      if (error !== undefined || from.buffered > 0) to.destroy(error)
      else to.end()
      to.resume()
      closed(from, error)
    },
  }
}

function send(to: Connection, bytes: Uint8Array): boolean {
  if (bytes.length > STAGING_BYTES) return to.write(Buffer.from(bytes))
  staging.set(bytes)
  const more = to.write(staging.subarray(0, bytes.length))
  if (to.buffered > 0) staging = Buffer.allocUnsafeSlow(STAGING_BYTES)
  return more
}
