import type { Body, BodySink, HttpRequest } from '../http/message.js'
import type { Connection, ConnectionHandler, SocketAddress, TlsInfo } from '../net/connection.js'
import type { Timer, Timers } from '../net/timers.js'
import type { Attempt, AttemptFailure, Pool } from './pool.js'

/** A tunnel on its way; `cancel`: nobody waits for it any more. */
export interface OpeningTunnel {
  /** Rejects with {@link TunnelError} where the endpoint answers otherwise, else with why it could not be asked; code `ETIMEDOUT` after `timeoutMs`. */
  readonly opened: Promise<Connection>
  cancel(): void
}

/** There is no tunnel, though the endpoint can be reached. */
export class TunnelError extends Error {
  /** For UPSTREAM_TRANSPORT_FAILURE_REASON: `tunnel_response:403`; undefined: it has said nothing. */
  readonly answer: string | undefined
  /** A circuit breaker of ours was open: nobody was asked. */
  readonly overflow: boolean

  constructor(answer: string | undefined, failure?: AttemptFailure) {
    super(answer ?? `the tunnel broke off: ${failure}`)
    this.name = 'TunnelError'
    this.answer = answer
    this.overflow = failure === 'overflow' || failure === 'pending_overflow'
  }
}

/** A byte stream through an HTTP proxy: what follows its 2xx to a CONNECT (RFC 9110 §9.3.6) or a POST, in HTTP/1.1 or HTTP/2. */
export function openHttpTunnel(pool: Pool, request: Omit<HttpRequest, 'body'>, timers: Timers, timeoutMs: number): OpeningTunnel {
  let attempt: Attempt | undefined
  let tunnel: Tunnel | undefined
  let deadline: Timer | undefined
  const opened = new Promise<Connection>((resolve, reject) => {
    const made = new Tunnel(() => attempt?.cancel())
    deadline = timers.timer(() => {
      attempt?.cancel()
      reject(Object.assign(new Error(`the tunnel was not answered in ${timeoutMs} ms`), { code: 'ETIMEDOUT' }))
    })
    deadline.start(timeoutMs)
    attempt = pool.send(
      { ...request, body: made.requestBody },
      {
        onConnected: (connection) => made.runsOn(connection),
        onResponse({ status, body }) {
          deadline?.stop()
          if (status >= 200 && status < 300) {
            tunnel = made
            made.open(body)
            resolve(made)
            return
          }
          body.discard()
          reject(new TunnelError(`tunnel_response:${status}`))
          attempt?.cancel()
        },
        // The body tells its end itself, after its last byte.
        onEnd() {},
        onFailure(reason, error) {
          deadline?.stop()
          if (tunnel !== undefined) made.fail(error ?? new TunnelError(undefined, reason))
          else if ((reason === 'connect_failure' || reason === 'connect_timeout') && error !== undefined) reject(error)
          else reject(new TunnelError(undefined, reason))
        },
      },
    )
  })
  return {
    opened,
    cancel() {
      deadline?.stop()
      if (tunnel === undefined) attempt?.cancel()
    },
  }
}

const NOWHERE: SocketAddress = { address: '', port: 0 }

/** The two bodies of an exchange as one connection. */
class Tunnel implements Connection {
  readonly requestBody: Body
  bytesReceived = 0
  bytesSent = 0
  localCloseReason: string | undefined
  #transport: Connection | undefined
  readonly #cancel: () => void
  #handler: ConnectionHandler | undefined
  readonly #closers: (() => void)[] = []
  /** Of the request: where writes go once the endpoint has agreed. */
  #sink: BodySink | undefined
  /** The endpoint takes nothing more: over HTTP/1.1 its own end is that of the tunnel. */
  #deaf = false
  #response: Body | undefined
  #listens = false
  #paused = true
  /** Put back, or come while nobody wanted it. */
  readonly #held: Uint8Array[] = []
  #heardEnd = false
  #toldEnd = false
  #ended = false
  #closed = false
  #toldClose = false
  #error: Error | undefined

  constructor(cancel: () => void) {
    this.#cancel = cancel
    this.requestBody = {
      length: undefined,
      consume: (sink) => {
        this.#sink = sink
        if (this.#ended) sink.end()
      },
      pause() {},
      resume: () => this.#handler?.onDrain(),
      discard: () => {
        this.#sink = undefined
        this.#deaf = true
      },
    }
  }

  runsOn(connection: Connection): void {
    this.#transport = connection
  }

  open(response: Body): void {
    this.#response = response
  }

  fail(error: Error): void {
    this.#close(error)
  }

  get remote(): SocketAddress {
    return this.#transport?.remote ?? NOWHERE
  }

  get local(): SocketAddress {
    return this.#transport?.local ?? NOWHERE
  }

  get tls(): TlsInfo | undefined {
    return this.#transport?.tls
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What was written is the codec's, and copied. */
  get buffered(): number {
    return 0
  }

  handle(handler: ConnectionHandler): void {
    this.#handler = handler
  }

  onClosed(closed: () => void): void {
    if (this.#toldClose) queueMicrotask(closed)
    else this.#closers.push(closed)
  }

  unread(bytes: Uint8Array): void {
    this.#held.unshift(bytes)
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ended) return true
    this.bytesSent += bytes.length
    return this.#sink?.data(bytes) ?? true
  }

  end(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.#sink?.end()
    if (this.#toldEnd) this.#close()
  }

  destroy(error?: Error): void {
    if (this.#closed) return
    this.#cancel()
    this.#close(error)
  }

  pause(): void {
    this.#paused = true
    if (this.#listens) this.#response?.pause()
  }

  resume(): void {
    this.#paused = false
    queueMicrotask(() => this.#flow())
  }

  #flow(): void {
    while (!this.#paused && this.#held.length > 0) this.#handler?.onData(this.#held.shift()!, true)
    if (this.#paused || this.#closed) return
    if (this.#heardEnd) this.#tellEnd()
    else if (this.#listens) this.#response?.resume()
    else {
      this.#listens = true
      this.#response?.consume(this.#answer)
    }
  }

  /** What comes from the endpoint; trailers are nobody's. */
  readonly #answer: BodySink = {
    data: (chunk) => {
      this.bytesReceived += chunk.length
      if (this.#paused) this.#held.push(Buffer.from(chunk))
      else this.#handler?.onData(chunk)
      return !this.#paused
    },
    end: () => {
      this.#heardEnd = true
      if (!this.#paused) this.#tellEnd()
    },
    abort: (error) => this.#close(error),
  }

  #tellEnd(): void {
    if (this.#toldEnd) return
    this.#toldEnd = true
    this.#handler?.onEnd()
    if (this.#ended || this.#deaf) this.#close()
  }

  #close(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    queueMicrotask(() => {
      this.#toldClose = true
      this.#handler?.onClose(this.#error)
      for (const closed of this.#closers.splice(0)) closed()
    })
  }
}
