import type { Connection } from '../../net/connection.js'
import type { HeaderMap } from '../header-map.js'
import { FIELD_VALUE, TARGET, TOKEN } from './tables.js'

const STAGING_BYTES = 128 * 1024
/** A body's bytes go out at once when so much has gathered; less waits for the end of the turn. */
const ENOUGH_TO_SEND = 16 * 1024

// One buffer for all connections: head and body of a message gather in it and leave in one write. It belongs to one writer
// at a time; a write that the kernel did not take at once keeps the buffer, and a new one takes its place.
let staging = Buffer.allocUnsafeSlow(STAGING_BYTES)
let used = 0
let owner: Writer | undefined
let scheduled = false

function flushOwner(): void {
  scheduled = false
  owner?.flush()
}

/** Puts HTTP/1 messages on a connection: what is written within one turn of the loop goes out together. */
export class Writer {
  readonly #connection: Connection
  #full = false
  #slow = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The connection asked for patience; its `onDrain` must be told by {@link drained}. */
  get full(): boolean {
    return this.#full
  }

  drained(): void {
    this.#full = false
  }

  /** ASCII that is known to be clean. */
  ascii(text: string): void {
    this.#own(text.length)
    const bytes = staging
    let at = used
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    used = at
  }

  /** A request target; bytes that a target cannot have are percent-encoded. */
  target(text: string): void {
    this.#own(text.length * 3)
    const bytes = staging
    let at = used
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code < 256 && TARGET[code] === 1) {
        bytes[at++] = code
        continue
      }
      bytes[at++] = 37
      bytes[at++] = HEX[(code >> 4) & 15]!
      bytes[at++] = HEX[code & 15]!
    }
    used = at
  }

  /**
   * A field line. What came from a peer was checked when it was read; what filters and config made is checked here: a name that
   * is no token drops the line, a byte that a value cannot have becomes a space (RFC 9110 §5.5).
   */
  field(name: string, value: string): void {
    this.#own(name.length + value.length + 4)
    const bytes = staging
    let at = used
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i)
      if (code > 255 || TOKEN[code] !== 1) return
      bytes[at++] = code
    }
    bytes[at++] = 58
    bytes[at++] = 32
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      bytes[at++] = code < 256 && FIELD_VALUE[code] === 1 ? code : 32
    }
    bytes[at++] = 13
    bytes[at++] = 10
    used = at
  }

  bytes(chunk: Uint8Array): void {
    const { length } = chunk
    if (length > STAGING_BYTES / 2 + ENOUGH_TO_SEND) {
      this.#own(0)
      this.flush()
      this.#send(Buffer.from(chunk))
      return
    }
    this.#own(length)
    staging.set(chunk, used)
    used += length
    if (used >= ENOUGH_TO_SEND) this.flush()
  }

  /** Sends now what has gathered. */
  flush(): void {
    if (owner !== this || used === 0) return
    const length = used
    used = 0
    owner = undefined
    if (this.#slow) {
      this.#send(Buffer.from(staging.subarray(0, length)))
      return
    }
    this.#send(staging.subarray(0, length))
    if (this.#connection.buffered > 0) {
      // TLS and full kernel buffers hold on to what they were given: from now on they are given copies.
      this.#slow = true
      staging = Buffer.allocUnsafeSlow(STAGING_BYTES)
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#connection.write(bytes)) this.#full = true
  }

  #own(space: number): void {
    if (owner !== this) {
      owner?.flush()
      owner = this
      if (!scheduled) {
        scheduled = true
        queueMicrotask(flushOwner)
      }
    }
    if (used + space > STAGING_BYTES) {
      this.flush()
      owner = this
      if (space > STAGING_BYTES) staging = Buffer.allocUnsafeSlow(space)
    }
  }
}

const HEX = Buffer.from('0123456789ABCDEF', 'latin1')

export function writeTrailers(writer: Writer, trailers: HeaderMap): void {
  for (let i = 0; i < trailers.size; i++) writer.field(trailers.nameAt(i), trailers.valueAt(i))
}
