import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { getSystemErrorName } from 'node:util'
import type { SocketConnection } from './socket-connection.js'

// What Node does not document of its sockets. Everything here has a test of its being there, and a public way beside it.

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

/** Writes to a socket's handle, past Node's stream: what the system takes at once costs one call. */
export interface HandleWriter {
  /** Bytes that the system has not taken yet. */
  readonly pending: number
  write(bytes: Uint8Array): void
}

interface WriteRequest {
  oncomplete?: (status: number) => void
  bytes?: Uint8Array
}

interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest
  /** What the last call of a handle has to tell beside its result. */
  readonly streamBaseState: ArrayLike<number>
  readonly kLastWriteWasAsync: number
}

interface Handle {
  /** 0 or an error's number. What is not written at once waits in the order of the calls. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
}

/** Undefined where Node no longer has it, or does not let us. */
function findStreamWrap(): StreamWrap | undefined {
  try {
    const { binding } = process as unknown as { binding?(name: string): Partial<StreamWrap> }
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding?.('stream_wrap') ?? {}
    if (typeof WriteWrap !== 'function' || typeof kLastWriteWasAsync !== 'number') return undefined
    if (typeof streamBaseState?.[kLastWriteWasAsync] !== 'number') return undefined
    return { WriteWrap, streamBaseState, kLastWriteWasAsync }
  } catch {
    return undefined
  }
}

let streamWrap: StreamWrap | undefined | 'unknown' = 'unknown'

/** Hears when everything that waited is out. */
interface WriterOwner {
  written(): void
}

/** Of a connected node:net socket to which nobody writes but the writer. Undefined: write by the socket. */
export function handleWriter(socket: Socket, owner: WriterOwner): HandleWriter | undefined {
  if (streamWrap === 'unknown') streamWrap = findStreamWrap()
  const handle = (socket as unknown as { _handle?: Partial<Handle> | null })._handle
  if (streamWrap === undefined || typeof handle?.writeBuffer !== 'function') return undefined
  return new DirectWriter(streamWrap, socket, handle as Handle, owner)
}

// A write that was over at once leaves its request as it was: the next one takes it.
let spare: WriteRequest | undefined

class DirectWriter implements HandleWriter {
  pending = 0
  readonly #native: StreamWrap
  readonly #socket: Socket
  readonly #handle: Handle
  readonly #owner: WriterOwner

  constructor(native: StreamWrap, socket: Socket, handle: Handle, owner: WriterOwner) {
    this.#native = native
    this.#socket = socket
    this.#handle = handle
    this.#owner = owner
  }

  write(bytes: Uint8Array): void {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = this.#native
    const request = (spare ??= new WriteWrap())
    const status = this.#handle.writeBuffer(request, bytes)
    if (status !== 0) this.#socket.destroy(writeError(status))
    else if (streamBaseState[kLastWriteWasAsync] !== 0) this.#wait(request, bytes)
  }

  #wait(request: WriteRequest, bytes: Uint8Array): void {
    spare = undefined
    this.pending += bytes.length
    // The system reads from them until then: nobody must collect them.
    request.bytes = bytes
    request.oncomplete = (status) => {
      this.pending -= bytes.length
      if (this.#socket.destroyed) return
      if (status < 0) this.#socket.destroy(writeError(status))
      else if (this.pending === 0) this.#owner.written()
    }
  }
}

function writeError(status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' })
}
