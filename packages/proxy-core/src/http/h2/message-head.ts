import { createHeaderMap, type HeaderMap } from '../header-map.js'
import { type HeaderField, KIND } from './header-field.js'

export interface MessageLimits {
  /** Of names and values together, as decoded. */
  readonly maxBytes: number
  readonly maxHeaders: number
}

export const INVALID_FIELD = 'http2.invalid.header.field'
export const BAD_MESSAGE = 'http2.violation.of.messaging.rule'
export const TOO_LARGE = 'http2.header_list_size_too_large'
export const TOO_MANY = 'http2.too_many_headers'

/** What is decoded beyond the limits to keep the tables in step; more than that is an attack (CVE-2026-47774). */
const BOMB_FACTOR = 4

/** One decoded header block: pseudo fields, the fields to hand on, and what is wrong with them. */
export class MessageHead {
  method = ''
  scheme = ''
  path = ''
  authority = ''
  protocol = ''
  status = 0
  headers: HeaderMap = createHeaderMap()
  /** -1: none. */
  contentLength = -1
  expectContinue = false
  /** Envoy's details of the first thing that is wrong; empty: nothing is. */
  problem = ''
  /** So large that its sender cannot mean well. */
  bomb = false
  /** Any pseudo field: trailers have none. */
  hasPseudo = false
  readonly #limits: MessageLimits
  #seen = 0
  #host: string | undefined
  #cookie: string | undefined
  #regular = false
  /** Of names and values. */
  bytes = 0
  #count = 0

  constructor(limits: MessageLimits) {
    this.#limits = limits
  }

  reset(): void {
    this.method = this.scheme = this.path = this.authority = this.protocol = this.problem = ''
    this.status = 0
    this.headers = createHeaderMap()
    this.contentLength = -1
    this.expectContinue = this.bomb = this.hasPseudo = this.#regular = false
    this.#host = this.#cookie = undefined
    this.#seen = this.bytes = this.#count = 0
  }

  /** A pseudo field of this kind has come. */
  has(kind: number): boolean {
    return (this.#seen & (1 << kind)) !== 0
  }

  /** The authority, or what `host` says of it. False: neither. */
  settleAuthority(): boolean {
    if (!this.has(KIND.authority) && this.#host !== undefined) this.authority = this.#host
    return this.has(KIND.authority) || this.#host !== undefined
  }

  /** After the last field. */
  finish(): void {
    if (this.#cookie !== undefined) this.headers.appendLower('cookie', this.#cookie)
  }

  readonly take = (field: HeaderField): void => {
    const { name, value } = field
    this.bytes += name.length + value.length
    if (this.bytes > this.#limits.maxBytes || ++this.#count > this.#limits.maxHeaders) {
      this.#fail(this.bytes > this.#limits.maxBytes ? TOO_LARGE : TOO_MANY)
      if (this.bytes > this.#limits.maxBytes * BOMB_FACTOR || this.#count > this.#limits.maxHeaders * BOMB_FACTOR * 16)
        this.bomb = true
      return
    }
    const { kind } = field
    if (kind === KIND.regular) {
      this.#regular = true
      this.headers.appendLower(name, value)
    } else this.#special(field)
  }

  #special({ kind, name, value }: HeaderField): void {
    if (kind >= KIND.method && kind <= KIND.protocol) {
      this.hasPseudo = true
      if (this.#regular || this.has(kind)) this.#fail(INVALID_FIELD)
      this.#seen |= 1 << kind
    } else this.#regular = true
    switch (kind) {
      case KIND.method:
        this.method = value
        return
      case KIND.scheme:
        this.scheme = value
        return
      case KIND.path:
        this.path = value
        return
      case KIND.authority:
        this.authority = value
        return
      case KIND.protocol:
        this.protocol = value
        return
      case KIND.status:
        this.status = /^[1-9]\d\d$/.test(value) ? Number(value) : 0
        return
      case KIND.host:
        if (this.#host !== undefined) this.#fail(INVALID_FIELD)
        this.#host = value
        return
      case KIND.contentLength:
        this.#takeLength(value)
        return
      case KIND.cookie:
        // RFC 9113 §8.2.3: crumbs are one field again where they leave HTTP/2.
        this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`
        return
      case KIND.expect:
        if (value.toLowerCase() === '100-continue') this.expectContinue = true
        else this.headers.appendLower(name, value)
        return
      case KIND.te:
        if (value === 'trailers') this.headers.appendLower(name, value)
        return
      default:
        this.#fail(INVALID_FIELD)
    }
  }

  #takeLength(value: string): void {
    if (this.contentLength >= 0 || !/^\d{1,15}$/.test(value)) {
      this.#fail(INVALID_FIELD)
      return
    }
    this.contentLength = Number(value)
    this.headers.appendLower('content-length', value)
  }

  #fail(problem: string): void {
    if (this.problem === '') this.problem = problem
  }
}
