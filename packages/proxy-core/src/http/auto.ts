import { CLOSE_REASON } from '../net/close-reason.js'
import type { Connection, ConnectionHandler } from '../net/connection.js'
import { HeldBytes } from '../net/held-bytes.js'
import type { Timer } from '../net/timers.js'
import type { HttpCodec, ServerHandler, ServerOptions, ServerSession } from './codec.js'
import { http1Codec } from './h1/codec.js'
import { http2Codec } from './h2/codec.js'
import { PREFACE } from './h2/frames.js'

/** The two versions; others may take their place. */
export interface Codecs {
  readonly http1: HttpCodec
  readonly http2: HttpCodec
}

/** Our own. */
export const ownCodecs: Codecs = { http1: http1Codec, http2: http2Codec }

const HTTP2_PROTOCOLS: ReadonlySet<string> = new Set(['h2', 'istio-h2'])

/** ALPN settled for HTTP/2, by whichever of its names. */
export function isHttp2(alpn: string | undefined): boolean {
  return alpn !== undefined && HTTP2_PROTOCOLS.has(alpn)
}

/**
 * Serves a connection in the version that Envoy's codec_type says; AUTO: what ALPN settled, and where it settled nothing, HTTP/2
 * for a connection that begins with its preface.
 */
export function serveHttp(
  codecs: Codecs,
  codec: 'AUTO' | 'HTTP1' | 'HTTP2',
  connection: Connection,
  options: ServerOptions,
  handler: ServerHandler,
): ServerSession {
  const alpn = connection.tls?.alpn
  if (codec === 'HTTP2' || (codec === 'AUTO' && isHttp2(alpn))) return codecs.http2.serve(connection, options, handler)
  if (codec === 'HTTP1' || alpn?.startsWith('http/1') === true) return codecs.http1.serve(connection, options, handler)
  return new Undecided(codecs, connection, options, handler)
}

/** As much of the preface as tells: who breaks off after it speaks HTTP/2 badly, and nothing else. */
const PREFACE_BYTES = Buffer.from(PREFACE.slice(0, 'PRI * HTTP/2'.length), 'latin1')

/** Until the first bytes have told the version. */
class Undecided implements ServerSession, ConnectionHandler {
  readonly #codecs: Codecs
  readonly #connection: Connection
  readonly #options: ServerOptions
  readonly #handler: ServerHandler
  readonly #idle: Timer
  readonly #held = new HeldBytes()
  #session: ServerSession | undefined
  #draining = false

  constructor(codecs: Codecs, connection: Connection, options: ServerOptions, handler: ServerHandler) {
    this.#codecs = codecs
    this.#connection = connection
    this.#options = options
    this.#handler = handler
    this.#idle = options.timers.timer(() => {
      connection.localCloseReason = CLOSE_REASON.idle
      this.#close()
    })
    this.#idle.start(options.timeouts.idle)
    connection.handle(this)
  }

  get active(): number {
    return this.#session?.active ?? 0
  }

  get total(): number {
    return this.#session?.total ?? 0
  }

  drain(closeIdle: boolean): void {
    this.#draining = true
    if (this.#session !== undefined) this.#session.drain(closeIdle)
    else if (closeIdle && this.#held.length === 0) this.#close()
  }

  retire(): void {
    if (this.#session !== undefined) this.#session.retire()
    else this.#close()
  }

  destroy(error?: Error): void {
    if (this.#session !== undefined) this.#session.destroy(error)
    else this.#connection.destroy(error)
  }

  onData(bytes: Uint8Array): void {
    if (this.#session !== undefined) return
    this.#held.append(bytes)
    const seen = this.#held.peek()
    const length = Math.min(seen.length, PREFACE_BYTES.length)
    const same = seen.compare(PREFACE_BYTES, 0, length, 0, length) === 0
    if (same && length < PREFACE_BYTES.length) return
    this.#idle.stop()
    // Before the codec listens: it shall hear them first.
    this.#connection.unread(this.#held.take())
    const codec = same ? this.#codecs.http2 : this.#codecs.http1
    this.#session = codec.serve(this.#connection, this.#options, this.#handler)
    if (this.#draining) this.#session.drain(false)
  }

  onEnd(): void {
    this.#close()
  }

  onDrain(): void {}

  onClose(error?: Error): void {
    this.#idle.stop()
    this.#handler.onClose(error)
  }

  #close(): void {
    this.#connection.end()
    this.#connection.destroy()
  }
}
