import type { SocketConnection } from './socket-connection.js'

// All sockets of the process read into one buffer: a connection's owner takes what it wants before it returns.
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

/** The `onread` of a node:net socket that hands what was read to its connection. */
export function onRead(connection: () => SocketConnection | undefined): {
  buffer: Buffer
  callback: (count: number, buffer: Uint8Array) => boolean
} {
  return {
    buffer: readBuffer,
    callback(count, buffer) {
      connection()?.receive(buffer.subarray(0, count))
      return true
    },
  }
}

/** The file descriptor under a node:net socket or server, which Node does not document; -1 where there is none. */
export function fdOf(owner: object): number {
  const fd = (owner as { _handle?: { fd?: unknown } | null })._handle?.fd
  return typeof fd === 'number' ? fd : -1
}
