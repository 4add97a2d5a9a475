import type { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'

// What Node does not document of writing to a socket. It has a test of its being there, and the socket's own `write` beside it.

/** Writes to a socket's handle, past Node's stream: what the system takes at once costs one call. */
export interface HandleWriter {
  /** Bytes of the callers that are not free yet. */
  readonly pending: number
  write(bytes: Uint8Array): void
  /** Half-closes after what was written. */
  end(): void
}

interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number) => void
  bytes?: Uint8Array
  writer?: TlsWriter
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

/** Of a connected socket of node:net, or of node:tls, to which nobody writes but the writer. Undefined: write by the socket. */
export function handleWriter(socket: Socket, kind: 'net' | 'tls', owner: WriterOwner): HandleWriter | undefined {
  if (streamWrap === 'unknown') streamWrap = findStreamWrap()
  const handle = (socket as unknown as { _handle?: Partial<Handle> | null })._handle
  if (streamWrap === undefined || typeof handle?.writeBuffer !== 'function') return undefined
  const Writer = kind === 'tls' ? TlsWriter : DirectWriter
  return new Writer(streamWrap, socket, handle as Handle, owner)
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

  end(): void {
    this.#socket.end()
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

/**
 * TLS takes one write at a time, of which it hears only in the next turn that it has left; a second one meanwhile ends the process. What it
 * takes it encrypts before it returns, so that those bytes are free at once; the others wait here.
 */
class TlsWriter implements HandleWriter {
  readonly #native: StreamWrap
  readonly #socket: Socket
  readonly #handle: Handle
  readonly #owner: WriterOwner
  #underWay = 0
  #waiting: Uint8Array[] | undefined
  #waitingBytes = 0
  #ends = false

  constructor(native: StreamWrap, socket: Socket, handle: Handle, owner: WriterOwner) {
    this.#native = native
    this.#socket = socket
    this.#handle = handle
    this.#owner = owner
  }

  /** With some that wait, those count that are under way: they are why. */
  get pending(): number {
    return this.#waitingBytes === 0 ? 0 : this.#waitingBytes + this.#underWay
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#underWay === 0) {
      this.#send(bytes)
      return
    }
    this.#waiting ??= []
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
  }

  end(): void {
    if (this.#underWay === 0) this.#socket.end()
    else this.#ends = true
  }

  #send(bytes: Uint8Array): void {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = this.#native
    const request = new WriteWrap()
    request.writer = this
    request.oncomplete = left
    this.#underWay = bytes.length
    const status = this.#handle.writeBuffer(request, bytes)
    if (status !== 0) this.#socket.destroy(writeError(status))
    else if (streamBaseState[kLastWriteWasAsync] === 0) this.#underWay = 0
  }

  left(status: number): void {
    this.#underWay = 0
    if (this.#socket.destroyed) return
    if (status < 0) {
      this.#socket.destroy(writeError(status))
      return
    }
    const waiting = this.#waiting
    if (waiting !== undefined) {
      const bytes = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting, this.#waitingBytes)
      this.#waiting = undefined
      this.#waitingBytes = 0
      this.#send(bytes)
      this.#owner.written()
    }
    if (this.#ends && this.#underWay === 0) this.#socket.end()
  }
}

function left(this: WriteRequest, status: number): void {
  this.writer?.left(status)
}

function writeError(status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' })
}
