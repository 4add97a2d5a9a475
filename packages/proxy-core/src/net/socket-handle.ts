import type { Server } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { SocketConnection } from './socket-connection.js'

// What Node does not document of accepting and of reading. Everything here has a test of its being there, and a public way beside it.

// All sockets of the process read into one buffer: a connection's owner takes what it wants before it returns.
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)
/** Messages of one kind have few lengths: what was shown once is shown again, so that reading allocates nothing. */
const LONGEST_KEPT = 4096
const views: (Buffer | undefined)[] = new Array(LONGEST_KEPT + 1).fill(undefined)

function viewOf(count: number): Buffer {
  if (count > LONGEST_KEPT) return readBuffer.subarray(0, count)
  return (views[count] ??= readBuffer.subarray(0, count))
}

/** Who gets what a socket reads: nobody yet, and then its connection. It lives as long as the socket, and holds nothing else. */
export interface ReadTarget {
  connection: SocketConnection | undefined
}

/** The `onread` of a node:net socket that hands what was read to its connection, and asks it where the next read goes. */
export function onRead(target: ReadTarget): {
  buffer: () => Uint8Array | undefined
  callback: (count: number, buffer: Uint8Array) => boolean
} {
  return {
    buffer() {
      const { connection } = target
      return connection === undefined ? readBuffer : connection.nextBuffer(readBuffer)
    },
    callback(count, buffer) {
      target.connection?.receive(buffer === readBuffer ? viewOf(count) : buffer.subarray(0, count))
      return true
    },
  }
}

/** What node:net keeps of `onread` in a socket, by the names of its symbols. */
const KEPT_OF_ONREAD = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const

let symbols: readonly (symbol | undefined)[] | undefined

function symbolsOf(socket: object): readonly (symbol | undefined)[] {
  const all = Object.getOwnPropertySymbols(socket)
  return KEPT_OF_ONREAD.map((name) => all.find(({ description }) => description === name))
}

/**
 * The same for a socket that node:tls has made, which takes no `onread`: what it reads from now on goes to the target; what it has read
 * before is still in its stream. False where Node has it otherwise: then it reads by `data` events.
 */
export function readWithOnRead(socket: TLSSocket, target: ReadTarget): boolean {
  const [buffer, callback, next] = (symbols ??= symbolsOf(socket))
  const { _handle: handle } = socket as unknown as { _handle?: { useUserBuffer?(into: Buffer): void } | null }
  const kept = socket as unknown as Record<symbol, unknown>
  if (buffer === undefined || callback === undefined || next === undefined || kept[buffer] !== null) return false
  if (typeof handle?.useUserBuffer !== 'function') return false
  const onread = onRead(target)
  kept[callback] = onread.callback
  kept[next] = onread.buffer
  kept[buffer] = readBuffer
  handle.useUserBuffer(readBuffer)
  return true
}

/** What Node makes a socket around. */
export interface SocketHandle {
  setNoDelay?(on: boolean): void
}

interface ListeningHandle {
  onconnection(status: number, accepted?: SocketHandle & { readonly useUserBuffer?: unknown; readonly readStart?: unknown }): void
}

/**
 * `accept` gets what a server accepts from now on, before Node makes a socket of it: only then can it be given a read buffer, and need
 * not be made twice. What has no such handle, and errors, go to the server's own listeners as ever.
 */
export function acceptHandles(server: Server, accept: (handle: SocketHandle) => void): void {
  const { _handle: listening } = server as unknown as { _handle?: ListeningHandle | null }
  if (typeof listening?.onconnection !== 'function') return
  const documented = listening.onconnection
  listening.onconnection = function (this: ListeningHandle, status, accepted) {
    const known = typeof accepted?.useUserBuffer === 'function' && typeof accepted.readStart === 'function'
    if (status === 0 && known) accept(accepted)
    else documented.call(this, status, accepted)
  }
}

/** The file descriptor under a node:net socket or server; -1 where there is none. */
export function fdOf(owner: object): number {
  const fd = (owner as { _handle?: { fd?: unknown } | null })._handle?.fd
  return typeof fd === 'number' ? fd : -1
}
