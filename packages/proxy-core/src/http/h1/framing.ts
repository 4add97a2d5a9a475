import { FIELD_VALUE } from '../field-value.js'
import { createHeaderMap, type HeaderMap } from '../header-map.js'
import { TOKEN } from './tables.js'

/** Bytes of one chunk's size line, extensions included (RFC 9112 §7.1.1 wants a limit). */
const MAX_CHUNK_LINE = 1024
/** 2^48: more than any body, less than what a number holds exactly. */
const MAX_CHUNK_SIZE = 2 ** 48

export type BodyKind = 'none' | 'length' | 'chunked' | 'close'

const STATE = {
  size: 0,
  sizeDigits: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailerStart: 7,
  trailerName: 8,
  trailerValue: 9,
  trailerLf: 10,
  lastLf: 11,
} as const

/**
 * Takes a body's framing off, RFC 9112 §6 and §7.1, strictly: CRLF ends lines, a size is hex digits, trailers are well formed.
 * Trailers are checked, and kept where they are wanted. Of each buffer it gives one run of payload: small chunks are moved together in place, so
 * that a sender of one-byte chunks costs what its bytes cost.
 */
export class BodyFraming {
  done = true
  /** After {@link eat}: where the payload lies. */
  from = 0
  to = 0
  /** Once done: the trailers, where {@link begin} was asked to keep them and there were any. */
  trailers: HeaderMap | undefined
  #kind: BodyKind = 'none'
  #left = 0
  #state: number = STATE.size
  #lineBytes = 0
  #trailerBytes = 0
  #trailers = 0
  #maxTrailerBytes = 0
  #maxTrailers = 0
  #keepTrailers = false
  #text = ''

  begin(kind: BodyKind, length: number, maxTrailerBytes: number, maxTrailers: number, keepTrailers = false): void {
    this.trailers = undefined
    this.#keepTrailers = keepTrailers
    this.#text = ''
    this.#kind = kind
    this.#left = kind === 'length' ? length : 0
    this.#state = STATE.size
    this.#lineBytes = this.#trailerBytes = this.#trailers = 0
    this.#maxTrailerBytes = maxTrailerBytes
    this.#maxTrailers = maxTrailers
    this.done = kind === 'none' || (kind === 'length' && length === 0)
  }

  get untilClose(): boolean {
    return this.#kind === 'close'
  }

  /** Reads from `start`; returns where it stopped, or -1 when the framing is broken. May move bytes within the buffer. */
  eat(bytes: Uint8Array, start: number, end: number): number {
    this.from = this.to = start
    if (this.done) return start
    if (this.#kind === 'chunked') return this.#eatChunked(bytes, start, end)
    if (this.#kind === 'close') {
      this.to = end
      return end
    }
    const taken = Math.min(end - start, this.#left)
    this.#left -= taken
    this.done = this.#left === 0
    this.to = start + taken
    return this.to
  }

  #eatChunked(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    while (at < end) {
      if (this.#state === STATE.data) {
        at = this.#takeData(bytes, at, end)
        continue
      }
      if (!this.#step(bytes[at++]!)) return -1
      if (this.done) return at
    }
    return at
  }

  #takeData(bytes: Uint8Array, at: number, end: number): number {
    const taken = Math.min(end - at, this.#left)
    if (this.from === this.to) {
      this.from = at
      this.to = at + taken
    } else {
      bytes.copyWithin(this.to, at, at + taken)
      this.to += taken
    }
    this.#left -= taken
    if (this.#left === 0) this.#state = STATE.dataCr
    return at + taken
  }

  /** One byte of framing; false when it cannot stand there. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case STATE.size:
      case STATE.sizeDigits:
        return this.#sizeByte(byte)
      case STATE.extension:
        if (byte === 13) this.#state = STATE.sizeLf
        else if (FIELD_VALUE[byte] !== 1 || ++this.#lineBytes > MAX_CHUNK_LINE) return false
        return true
      case STATE.sizeLf:
        if (byte !== 10) return false
        this.#state = this.#left === 0 ? STATE.trailerStart : STATE.data
        return true
      case STATE.dataCr:
        this.#state = STATE.dataLf
        return byte === 13
      case STATE.dataLf:
        this.#state = STATE.size
        return byte === 10
      default:
        return this.#trailerByte(byte)
    }
  }

  #sizeByte(byte: number): boolean {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      if (this.#state === STATE.size) {
        this.#left = 0
        this.#lineBytes = 0
      }
      this.#left = this.#left * 16 + digit
      this.#state = STATE.sizeDigits
      return this.#left <= MAX_CHUNK_SIZE && ++this.#lineBytes <= 16
    }
    if (this.#state === STATE.size) return false
    if (byte === 13) this.#state = STATE.sizeLf
    else if (byte === 59 || byte === 32 || byte === 9) this.#state = STATE.extension
    else return false
    return true
  }

  #trailerByte(byte: number): boolean {
    if (++this.#trailerBytes > this.#maxTrailerBytes) return false
    if (this.#keepTrailers) this.#text += String.fromCharCode(byte)
    switch (this.#state) {
      case STATE.trailerStart:
        if (byte === 13) {
          this.#state = STATE.lastLf
          return true
        }
        this.#state = STATE.trailerName
        return TOKEN[byte] === 1 && ++this.#trailers <= this.#maxTrailers
      case STATE.trailerName:
        if (byte === 58) this.#state = STATE.trailerValue
        return byte === 58 || TOKEN[byte] === 1
      case STATE.trailerValue:
        if (byte === 13) this.#state = STATE.trailerLf
        return byte === 13 || FIELD_VALUE[byte] === 1
      case STATE.trailerLf:
        this.#state = STATE.trailerStart
        return byte === 10
      default:
        this.done = true
        if (this.#text.length > 2) this.trailers = readTrailers(this.#text)
        return byte === 10
    }
  }
}

/** Lines that have been checked. */
function readTrailers(text: string): HeaderMap {
  const trailers = createHeaderMap()
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) trailers.append(line.slice(0, colon), line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, ''))
  }
  return trailers
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
