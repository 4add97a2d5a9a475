import type { Socket } from 'node:net'
import type { BufferChooser, Connection, ConnectionHandler, SocketAddress, TlsInfo } from './connection.js'
import { type HandleWriter, handleWriter } from './handle-writer.js'
import type { Tlv } from './proxy-protocol/header.js'
import { isReset } from './reset.js'

/** Beyond this many bytes under way `write` asks for patience. */
const ENOUGH_UNDER_WAY = 64 * 1024

const NOBODY_ELSE: readonly (() => void)[] = []
const nobody: ConnectionHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }

/** What is known of a connection when it begins. */
export type SocketFacts = Pick<
  Connection,
  | 'remote'
  | 'directRemote'
  | 'local'
  | 'originalDestination'
  | 'transparentSource'
  | 'requestedServerName'
  | 'tlvs'
  | 'metadata'
  | 'tlsFingerprints'
  | 'times'
>

/** What a socket says goes to the connection that it has here: listeners that are everybody's cost an idle connection nothing. */
const connectionOf = Symbol('connection')

interface OwnedSocket extends Socket {
  [connectionOf]: SocketConnection
}

function onError(this: OwnedSocket, error: Error): void {
  this[connectionOf].failed(error)
}

function onClose(this: OwnedSocket): void {
  this[connectionOf].gone()
}

function onEnd(this: OwnedSocket): void {
  this[connectionOf].ended()
}

function onDrain(this: OwnedSocket): void {
  this[connectionOf].written()
}

/** A chunk of the socket's own. */
function onData(this: OwnedSocket, bytes: Buffer): void {
  this[connectionOf].receive(bytes, true)
}

/** A node:net or node:tls socket as a {@link Connection}. The socket must be paused, `allowHalfOpen`, and nobody else's. */
export class SocketConnection implements Connection {
  remote: SocketAddress
  directRemote?: SocketAddress | undefined
  readonly local: SocketAddress
  originalDestination?: SocketAddress | undefined
  transparentSource?: Connection['transparentSource']
  tlvs?: readonly Tlv[] | undefined
  metadata?: Connection['metadata']
  requestedServerName?: string | undefined
  tlsFingerprints?: Connection['tlsFingerprints']
  servedAt?: Connection['servedAt']
  times?: Connection['times']
  localCloseReason?: string | undefined
  terminationDetails?: string | undefined
  readonly tls?: TlsInfo | undefined
  bytesReceived = 0
  bytesSent = 0
  readonly #socket: OwnedSocket
  /** Bytes come by {@link receive} from the socket's own read buffer, not by `data` events. */
  readonly #ownBuffer: boolean
  /** Undefined: the socket itself writes. */
  readonly #writer: HandleWriter | undefined
  /** Of the last read; undefined: the shared one. */
  #readsInto: Uint8Array | undefined
  #reader: BufferChooser | undefined
  #handler: ConnectionHandler = nobody
  #head: Uint8Array | undefined
  #started = false
  #paused = false
  #full = false
  #ended = false
  /** Nothing more is written. */
  #finished = false
  #closed = false
  #error: Error | undefined
  #cutOff = false
  /** What a reset goes through; undefined: none does. */
  readonly #transport: Socket | undefined
  #closers: readonly (() => void)[] = NOBODY_ELSE

  /** `tls`: of a socket of node:tls; `transport` is the TCP socket under it then. */
  constructor(socket: Socket, facts: SocketFacts, ownBuffer: boolean, tls?: TlsInfo, transport?: Socket) {
    this.remote = facts.remote
    this.directRemote = facts.directRemote
    this.local = facts.local
    this.originalDestination = facts.originalDestination
    this.transparentSource = facts.transparentSource
    this.tlvs = facts.tlvs
    this.metadata = facts.metadata
    this.requestedServerName = facts.requestedServerName
    this.tlsFingerprints = facts.tlsFingerprints
    this.servedAt = undefined
    this.times = facts.times
    this.localCloseReason = undefined
    this.tls = tls
    this.#socket = socket as OwnedSocket
    this.#socket[connectionOf] = this
    this.#ownBuffer = ownBuffer
    this.#transport = transport ?? (tls === undefined && facts.local.port !== 0 ? socket : undefined)
    this.#writer = ownBuffer ? handleWriter(socket, tls === undefined ? 'net' : 'tls', this) : undefined
    this.#socket.on('error', onError)
    this.#socket.on('close', onClose)
  }

  get closed(): boolean {
    return this.#closed
  }

  get buffered(): number {
    return this.#writer === undefined ? this.#socket.writableLength : this.#writer.pending
  }

  handle(handler: ConnectionHandler): void {
    this.#handler = handler
    if (this.#closed) {
      queueMicrotask(() => handler.onClose(this.#error))
      return
    }
    if (this.#head !== undefined) this.#deliverHeadLater()
    if (this.#started) return
    this.#started = true
    const socket = this.#socket
    // TLS may have read the end while nobody listened; what came before is told first.
    if (socket.readableEnded) queueMicrotask(() => this.ended())
    else socket.on('end', onEnd)
    if (this.#writer === undefined) socket.on('drain', onDrain)
    if (!this.#ownBuffer) socket.on('data', onData)
    if (!this.#paused && this.#head === undefined) this.#read()
  }

  onClosed(closed: () => void): void {
    if (this.#closed) queueMicrotask(closed)
    // An array that is pushed to makes room for many.
    else this.#closers = [...this.#closers, closed]
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#head = this.#head === undefined ? bytes : Buffer.concat([bytes, this.#head])
    this.#socket.pause()
    this.#deliverHeadLater()
  }

  /** Where the socket's read callback brings what it read. */
  receive(bytes: Uint8Array, lasting?: boolean): void {
    this.bytesReceived += bytes.length
    if (this.#handler === nobody) this.unread(Buffer.from(bytes))
    else this.#handler.onData(bytes, lasting)
  }

  readInto(reader: BufferChooser): void {
    if (this.#ownBuffer) this.#reader = reader
  }

  /** Where the next read goes; undefined: where the last one went. */
  nextBuffer(shared: Uint8Array): Uint8Array | undefined {
    if (this.#reader === undefined) return undefined
    const wanted = this.#reader.chooseBuffer()
    if (wanted === this.#readsInto) return undefined
    this.#readsInto = wanted
    return wanted ?? shared
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (this.#closed || this.#finished || socket.destroyed) return true
    this.bytesSent += bytes.length
    if (this.#writer === undefined) socket.write(bytes)
    else this.#writer.write(bytes)
    // Node counts a large write as too much even when the kernel took it at once; what is left says more.
    if (this.buffered < ENOUGH_UNDER_WAY) return true
    this.#full = true
    return false
  }

  end(): void {
    if (this.#finished) return
    this.#finished = true
    if (this.#writer === undefined) this.#socket.end()
    else this.#writer.end()
  }

  get reset(): 'remote' | 'local' | undefined {
    if (this.#cutOff) return 'local'
    return isReset(this.#error) ? 'remote' : undefined
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.failed(error)
    const transport = this.#socket.destroyed || !isReset(error) ? undefined : this.#transport
    if (transport === undefined || transport.destroyed) this.#socket.destroy()
    else {
      // TLS goes with it.
      this.#cutOff = true
      transport.resetAndDestroy()
    }
  }

  /** The TCP socket at the bottom; undefined: there is none. */
  get transport(): Socket | undefined {
    return this.#transport
  }

  pause(): void {
    this.#paused = true
    if (this.#started) this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#head !== undefined) this.#deliverHeadLater()
    else if (this.#started) this.#read()
  }

  /** Gives the bare socket to TLS, with what was read and put back; this connection is over then. */
  release(): { socket: Socket; head: Uint8Array | undefined } {
    const socket = this.#socket
    if (this.#started) {
      socket.off('data', onData)
      socket.off('end', onEnd)
      socket.off('drain', onDrain)
      socket.pause()
    }
    const head = this.#head
    this.#head = undefined
    this.#handler = nobody
    return { socket, head }
  }

  /** Everything that waited is with the system. */
  written(): void {
    if (!this.#full) return
    this.#full = false
    this.#handler.onDrain()
  }

  /** The reason of the end that follows. */
  failed(error: Error): void {
    this.#error ??= error
  }

  gone(): void {
    this.#closed = true
    this.#handler.onClose(this.#error)
    for (const closed of this.#closers) closed()
  }

  /** No more is read. */
  ended(): void {
    this.#ended = true
    this.#handler.onEnd()
  }

  #deliverHeadLater(): void {
    queueMicrotask(() => this.#deliverHead())
  }

  #deliverHead(): void {
    const head = this.#head
    if (head === undefined || this.#paused || !this.#started || this.#closed || this.#handler === nobody) return
    this.#head = undefined
    this.#handler.onData(head)
    if (!this.#paused && this.#head === undefined) this.#read()
  }

  #read(): void {
    if (this.#ended) return
    this.#socket.resume()
    if (this.#ownBuffer) this.#socket.read(0)
  }
}
