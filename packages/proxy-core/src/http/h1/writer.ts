import type { Connection } from '../../net/connection.js'
import { FIELD_VALUE } from '../field-value.js'
import { type HeaderMap, internName } from '../header-map.js'
import { endOfTask, type StagingOwner, staging } from './staging.js'
import { TARGET, TOKEN } from './tables.js'

/** A body's bytes go out at once when so much has gathered; less waits for the end of the turn. */
const ENOUGH_TO_SEND = 16 * 1024
/** Of larger pieces a copy of their own is sent. */
const LARGE = 80 * 1024

/** Puts HTTP/1 messages on a connection: what is written within one turn goes out together. */
export class Writer implements StagingOwner {
  readonly defer: StagingOwner['defer']
  readonly #connection: Connection
  #full = false
  #slow = false
  #total = 0

  /** `defer`: see ServerOptions.defer. */
  constructor(connection: Connection, defer: StagingOwner['defer'] = endOfTask) {
    this.#connection = connection
    this.defer = defer
  }

  /** The connection asked for patience; its `onDrain` must be told by {@link drained}. */
  get full(): boolean {
    return this.#full
  }

  /** Bytes written so far, those that wait among them. */
  get total(): number {
    return this.#total
  }

  drained(): void {
    this.#full = false
  }

  /** ASCII that is known to be clean. */
  ascii(text: string): void {
    staging.own(this, text.length)
    const { bytes } = staging
    let at = staging.used
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.#wrote(at)
  }

  /** A request target; bytes that a target cannot have are percent-encoded. */
  target(text: string): void {
    staging.own(this, text.length * 3)
    const { bytes } = staging
    let at = staging.used
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
    this.#wrote(at)
  }

  /**
   * A field line. What came from a peer was checked when it was read; what filters and config made is checked here: a name that
   * is no token drops the line, a byte that a value cannot have becomes a space (RFC 9110 §5.5).
   */
  field(name: string, value: string): void {
    staging.own(this, name.length + value.length + 4)
    const { bytes } = staging
    let at = writeName(name, bytes, staging.used)
    if (at < 0) return
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      bytes[at++] = code < 256 && FIELD_VALUE[code] === 1 ? code : 32
    }
    this.#endLine(bytes, at)
  }

  /** The field line at `index` of `headers`, under `name`: {@link field} without making a string of the value. */
  line(name: string, headers: HeaderMap, index: number): void {
    staging.own(this, name.length + headers.lengthAt(index) + 4)
    const { bytes } = staging
    const start = writeName(name, bytes, staging.used)
    if (start >= 0) this.#endLine(bytes, headers.writeAt(index, bytes, start))
  }

  bytes(chunk: Uint8Array): void {
    const { length } = chunk
    if (length > LARGE && !staging.sending) {
      this.flush()
      this.#total += length
      this.send(Buffer.from(chunk))
      return
    }
    staging.own(this, length)
    staging.bytes.set(chunk, staging.used)
    this.#wrote(staging.used + length)
    if (staging.partLength >= ENOUGH_TO_SEND) this.flush()
  }

  /** Sends now what has gathered. */
  flush(): void {
    staging.flush()
  }

  send(part: Uint8Array): boolean {
    const connection = this.#connection
    if (!connection.write(this.#slow ? Buffer.from(part) : part)) this.#full = true
    if (this.#slow || connection.buffered === 0) return true
    // TLS and full kernel buffers hold on to what they were given: from now on they are given copies.
    this.#slow = true
    return false
  }

  #endLine(bytes: Uint8Array, at: number): void {
    bytes[at] = 13
    bytes[at + 1] = 10
    this.#wrote(at + 2)
  }

  #wrote(end: number): void {
    this.#total += end - staging.used
    staging.used = end
  }
}

/** The name and what parts it from its value; where the value begins, or -1: that is no name. */
function writeName(name: string, bytes: Uint8Array, start: number): number {
  const line = lineStartOf(name)
  for (let i = 0; i < line.length; i++) bytes[start + i] = line[i]!
  return line.length === 0 ? -1 : start + line.length
}

const NO_NAME = new Uint8Array(0)

// Of names that were written lately, by length and last letter: most are written again and again.
const SLOTS = 256
const writtenNames: string[] = new Array(SLOTS).fill('')
const lineStarts: Uint8Array[] = new Array(SLOTS).fill(NO_NAME)

/** How a line with this name begins; empty: that is no name. */
function lineStartOf(name: string): Uint8Array {
  const { length } = name
  if (length === 0) return NO_NAME
  const slot = (length * 7 + name.charCodeAt(length - 1)) & (SLOTS - 1)
  if (writtenNames[slot] === name) return lineStarts[slot]!
  for (let i = 0; i < length; i++) if (name.charCodeAt(i) > 255 || TOKEN[name.charCodeAt(i)] !== 1) return NO_NAME
  writtenNames[slot] = internName(name)
  return (lineStarts[slot] = Buffer.from(`${name}: `, 'latin1'))
}

const HEX = Buffer.from('0123456789ABCDEF', 'latin1')

export function writeTrailers(writer: Writer, trailers: HeaderMap): void {
  for (let i = 0; i < trailers.size; i++) writer.line(trailers.nameAt(i), trailers, i)
}
