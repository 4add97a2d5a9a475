import type { Connection } from '../../net/connection.js'
import { FIELD_VALUE } from '../field-value.js'
import type { HeaderMap } from '../header-map.js'
import { TARGET, TOKEN } from './tables.js'

const STAGING_BYTES = 128 * 1024
/** A body's bytes go out at once when so much has gathered; less waits for the end of the turn. */
const ENOUGH_TO_SEND = 16 * 1024

// One buffer for all connections: head and body of a message gather in it and leave in one write. It belongs to one writer
// at a time; a write that the kernel did not take at once keeps the buffer, and a new one takes its place.
let staging = Buffer.allocUnsafeSlow(STAGING_BYTES)
let used = 0
let owner: Writer | undefined
let scheduled = false
let turns = 0
/** Shown of the staging buffer, by length: messages of one kind have few. */
const LONGEST_KEPT = 4096
let views: (Uint8Array | undefined)[] = []

const settled = Promise.resolve()

function flushOwner(): void {
  scheduled = false
  owner?.flush()
}

/** What is written until {@link endTurn} goes out then. Every turn that begins must end. */
export function beginTurn(): void {
  turns++
}

export function endTurn(): void {
  if (--turns === 0) owner?.flush()
}

function replaceStaging(bytes: number): void {
  staging = Buffer.allocUnsafeSlow(bytes)
  views = []
}

/** Puts HTTP/1 messages on a connection: what is written within one turn, or else one task, goes out together. */
export class Writer {
  readonly #connection: Connection
  #full = false
  #slow = false
  #left = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The connection asked for patience; its `onDrain` must be told by {@link drained}. */
  get full(): boolean {
    return this.#full
  }

  /** Bytes written so far, those that wait among them. */
  get total(): number {
    return owner === this ? this.#left + used : this.#left
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
    let at = writeName(name)
    if (at < 0) return
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      bytes[at++] = code < 256 && FIELD_VALUE[code] === 1 ? code : 32
    }
    bytes[at++] = 13
    bytes[at++] = 10
    used = at
  }

  /** The field line at `index` of `headers`, under `name`: {@link field} without making a string of the value. */
  line(name: string, headers: HeaderMap, index: number): void {
    this.#own(name.length + headers.lengthAt(index) + 4)
    const start = writeName(name)
    if (start < 0) return
    const bytes = staging
    const at = headers.writeAt(index, bytes, start)
    bytes[at] = 13
    bytes[at + 1] = 10
    used = at + 2
  }

  bytes(chunk: Uint8Array): void {
    const { length } = chunk
    if (length > STAGING_BYTES / 2 + ENOUGH_TO_SEND) {
      this.#own(0)
      this.flush()
      this.#left += length
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
    this.#left += length
    used = 0
    owner = undefined
    if (this.#slow) {
      this.#send(Buffer.from(staging.subarray(0, length)))
      return
    }
    this.#send(length > LONGEST_KEPT ? staging.subarray(0, length) : (views[length] ??= staging.subarray(0, length)))
    if (this.#connection.buffered > 0) {
      // TLS and full kernel buffers hold on to what they were given: from now on they are given copies.
      this.#slow = true
      replaceStaging(STAGING_BYTES)
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#connection.write(bytes)) this.#full = true
  }

  #own(space: number): void {
    if (owner !== this) {
      owner?.flush()
      owner = this
      if (turns === 0 && !scheduled) {
        scheduled = true
        void settled.then(flushOwner)
      }
    }
    if (used + space > STAGING_BYTES) {
      this.flush()
      owner = this
      if (space > STAGING_BYTES) replaceStaging(space)
    }
  }
}

/** The name and what parts it from its value; where the value begins, or -1: that is no name. */
function writeName(name: string): number {
  const bytes = staging
  let at = used
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code > 255 || TOKEN[code] !== 1) return -1
    bytes[at++] = code
  }
  bytes[at] = 58
  bytes[at + 1] = 32
  return at + 2
}

const HEX = Buffer.from('0123456789ABCDEF', 'latin1')

export function writeTrailers(writer: Writer, trailers: HeaderMap): void {
  for (let i = 0; i < trailers.size; i++) writer.line(trailers.nameAt(i), trailers, i)
}
