import { FIELD_VALUE } from '../field-value.js'
import { createReadHeaders, type HeaderMap, type ReadHeaders } from '../header-map.js'
import { rememberNames } from './field-names.js'
import type { Http1CodecOptions } from './options.js'
import { HOST, knownMethod, knownName, TARGET, TOKEN } from './tables.js'

/** What a head says about its message, apart from the fields that are handed on. */
export interface Head {
  /** Requests: method and target; empty in responses. */
  method: string
  target: string
  /** Responses; 0 in requests. */
  status: number
  /** Of HTTP/1.x. */
  minor: 0 | 1
  /** Everything but host, connection and what it names, transfer-encoding, keep-alive, proxy-connection; and `connection` and `upgrade` where an upgrade is asked for. */
  headers: HeaderMap
  host: string | undefined
  /** -1: no Content-Length. */
  contentLength: number
  chunked: boolean
  /** Connection: close, or HTTP/1.0 without keep-alive. */
  close: boolean
  /** The Upgrade field of a message whose Connection says `upgrade`; lower case. */
  upgrade: string | undefined
  expectContinue: boolean
  /** Bytes of the head, with its last empty line. */
  size: number
  /** Of them its field lines, as Envoy counts what it receives: without the space that stands before a value. */
  fieldBytes: number
}

export interface HeadLimits {
  readonly maxBytes: number
  readonly maxHeaders: number
  readonly http1: Http1CodecOptions
}

/** Why a head cannot be accepted. `details` are Envoy's. */
export interface HeadProblem {
  readonly status: 400 | 426 | 431 | 501
  readonly details: string
}

export const CODEC_ERROR: HeadProblem = { status: 400, details: 'http1.codec_error' }
export const BAD_TARGET: HeadProblem = { status: 400, details: 'http1.invalid_url' }
export const BAD_SCHEME: HeadProblem = { status: 400, details: 'http1.invalid_scheme' }
const BAD_HOST: HeadProblem = { status: 400, details: 'http.invalid_authority' }
const BAD_VALUE: HeadProblem = { status: 400, details: 'http1.invalid_characters' }
const LENGTH_AND_CHUNKED: HeadProblem = { status: 400, details: 'http1.content_length_and_chunked_not_allowed' }
const BAD_CONNECTION: HeadProblem = { status: 400, details: 'http1.connection_header_rejected' }
const BODY_DISALLOWED: HeadProblem = { status: 400, details: 'http1.body_disallowed' }
const BAD_TRANSFER_ENCODING: HeadProblem = { status: 501, details: 'http1.invalid_transfer_encoding' }
export const LOW_VERSION: HeadProblem = { status: 426, details: 'low_version' }
export const TOO_LARGE: HeadProblem = { status: 431, details: 'http1.headers_too_large' }
export const TOO_MANY: HeadProblem = { status: 431, details: 'http1.too_many_headers' }

const CR = 13
const LF = 10
const SP = 32
const TAB = 9
const COLON = 58

// Where the parts of the head being parsed lie: parsing is synchronous, so one set serves every connection.
const MAX_PLACES = 1024
const places = new Int32Array(MAX_PLACES * 4)
let placeCount = 0

/** `more`: the head is not complete. Strings are made only when it is, by one call into the engine. */
export function parseRequestHead(bytes: Buffer, start: number, end: number, limits: HeadLimits): Head | HeadProblem | 'more' {
  let at = start
  // RFC 9112 §2.2: empty lines before a request line are tolerated; only whole ones.
  while (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) at += 2
  const first = at
  while (at < end && TOKEN[bytes[at]!] === 1) at++
  if (at >= end) return more(start, end, limits)
  if (bytes[at] !== SP || at === first) return CODEC_ERROR
  const methodEnd = at++
  const targetStart = at
  while (at < end && TARGET[bytes[at]!] === 1) at++
  if (at >= end) return more(start, end, limits)
  // HTTP/0.9 ends its line here. A CR that ends none hides what follows from some servers.
  if (bytes[at] === CR && at > targetStart) {
    if (at + 1 >= end) return more(start, end, limits)
    return bytes[at + 1] === LF ? LOW_VERSION : CODEC_ERROR
  }
  if (bytes[at] !== SP || at === targetStart) return CODEC_ERROR
  const targetEnd = at++
  // "HTTP/1.1\r\n"
  if (at + 10 > end) return isPrefix(bytes, at, end, 'HTTP/') ? more(start, end, limits) : CODEC_ERROR
  if (!isPrefix(bytes, at, at + 5, 'HTTP/') || bytes[at + 6] !== 46 || bytes[at + 8] !== CR || bytes[at + 9] !== LF)
    return CODEC_ERROR
  const major = bytes[at + 5]! - 48
  const minor = bytes[at + 7]! - 48
  if (major < 0 || major > 9 || minor < 0 || minor > 9) return CODEC_ERROR
  if (major !== 1 || minor > 1) return LOW_VERSION
  const fields = at + 10
  at = findFields(bytes, fields, end, limits.maxHeaders)
  if (at === NEED_MORE) return more(start, end, limits)
  if (at < 0) return problemOf(at)
  if (at - start > limits.maxBytes) return TOO_LARGE
  const method = knownMethod(bytes, first, methodEnd)
  if (method === undefined) return CODEC_ERROR
  const text = bytes.toString('latin1', first, at)
  const headers = createReadHeaders(text)
  const head = createHead(at - start, minor as 0 | 1, at - fields - 2 - placeCount, headers)
  head.method = method
  head.target = text.slice(targetStart - first, targetEnd - first)
  return readFields(bytes, text, first, head, headers, true, limits.http1) ?? head
}

export function parseResponseHead(bytes: Buffer, start: number, end: number, limits: HeadLimits): Head | HeadProblem | 'more' {
  // "HTTP/1.1 200", then SP reason or nothing, CRLF
  if (start + 14 > end) return isPrefix(bytes, start, end, 'HTTP/1.') ? more(start, end, limits) : CODEC_ERROR
  if (!isPrefix(bytes, start, start + 7, 'HTTP/1.') || bytes[start + 8] !== SP) return CODEC_ERROR
  const minor = bytes[start + 7]! - 48
  if (minor !== 0 && minor !== 1) return CODEC_ERROR
  let status = 0
  for (let i = start + 9; i < start + 12; i++) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return CODEC_ERROR
    status = status * 10 + digit
  }
  if (status < 100) return CODEC_ERROR
  let at = start + 12
  if (bytes[at] !== SP && bytes[at] !== CR) return CODEC_ERROR
  while (at < end && FIELD_VALUE[bytes[at]!] === 1) at++
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? CODEC_ERROR : more(start, end, limits)
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return CODEC_ERROR
  const fields = at + 2
  at = findFields(bytes, fields, end, limits.maxHeaders)
  if (at === NEED_MORE) return more(start, end, limits)
  if (at < 0) return problemOf(at)
  if (at - start > limits.maxBytes) return TOO_LARGE
  const text = bytes.toString('latin1', start, at)
  const headers = createReadHeaders(text)
  const head = createHead(at - start, minor, at - fields - 2 - placeCount, headers)
  head.status = status
  return readFields(bytes, text, start, head, headers, false, limits.http1) ?? head
}

function createHead(size: number, minor: 0 | 1, fieldBytes: number, headers: HeaderMap): Head {
  return {
    method: '',
    target: '',
    status: 0,
    minor,
    headers,
    host: undefined,
    contentLength: -1,
    chunked: false,
    close: minor === 0,
    upgrade: undefined,
    expectContinue: false,
    size,
    fieldBytes,
  }
}

function more(start: number, end: number, limits: HeadLimits): 'more' | HeadProblem {
  return end - start > limits.maxBytes ? TOO_LARGE : 'more'
}

function isPrefix(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  const length = Math.min(end - start, text.length)
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}

const NEED_MORE = -1
const MALFORMED = -2
const INVALID_VALUE = -3
const TOO_MANY_FIELDS = -4

function problemOf(code: number): HeadProblem {
  return code === TOO_MANY_FIELDS ? TOO_MANY : code === INVALID_VALUE ? BAD_VALUE : CODEC_ERROR
}

/**
 * Notes the places of all field lines; returns where the body begins or a negative code. No folded lines (RFC 9112 §5.2), no
 * space before the colon (§5.1), no bare CR or LF, no NUL: what one implementation would mend another reads differently.
 */
function findFields(bytes: Uint8Array, start: number, end: number, maxHeaders: number): number {
  let at = start
  let count = 0
  const most = Math.min(maxHeaders, MAX_PLACES)
  for (;;) {
    if (at >= end) return NEED_MORE
    if (bytes[at] === CR) {
      if (at + 1 >= end) return NEED_MORE
      if (bytes[at + 1] !== LF) return MALFORMED
      placeCount = count
      return at + 2
    }
    const nameStart = at
    while (at < end && TOKEN[bytes[at]!] === 1) at++
    if (at >= end) return NEED_MORE
    if (bytes[at] !== COLON || at === nameStart) return MALFORMED
    const nameEnd = at++
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++
    const valueStart = at
    while (at < end && FIELD_VALUE[bytes[at]!] === 1) at++
    if (at >= end) return NEED_MORE
    if (bytes[at] !== CR) return bytes[at] === LF ? MALFORMED : INVALID_VALUE
    if (at + 1 >= end) return NEED_MORE
    if (bytes[at + 1] !== LF) return MALFORMED
    if (count >= most) return TOO_MANY_FIELDS
    let valueEnd = at
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--
    const place = count++ * 4
    places[place] = nameStart
    places[place + 1] = nameEnd
    places[place + 2] = valueStart
    places[place + 3] = valueEnd
    at += 2
  }
}

/** Fills `head` from the noted places; a problem, or undefined. */
function readFields(
  bytes: Uint8Array,
  text: string,
  origin: number,
  head: Head,
  headers: ReadHeaders,
  isRequest: boolean,
  http1: Http1CodecOptions,
): HeadProblem | undefined {
  if (http1.keyFormat !== undefined && http1.keyFormat !== 'PROPER_CASE') head.headers.casing = readNames(text, origin, http1)
  let upgrade: string | undefined
  let connection: string | undefined
  for (let i = 0; i < placeCount; i++) {
    const place = i * 4
    const nameStart = places[place]!
    const nameEnd = places[place + 1]!
    const valueStart = places[place + 2]! - origin
    const valueEnd = places[place + 3]! - origin
    const name = knownName(bytes, nameStart, nameEnd) ?? text.slice(nameStart - origin, nameEnd - origin).toLowerCase()
    switch (name) {
      case 'host':
        if (!isRequest) break
        // RFC 9112 §3.2: more than one is refused, whatever the values.
        if (head.host !== undefined) return CODEC_ERROR
        head.host = text.slice(valueStart, valueEnd)
        if (!isHost(head.host)) return BAD_HOST
        continue
      case 'content-length': {
        const length = parseLength(text.slice(valueStart, valueEnd))
        // RFC 9112 §6.3: a second one is refused even when it is equal, lists as well.
        if (length < 0 || head.contentLength >= 0) return CODEC_ERROR
        head.contentLength = length
        break
      }
      case 'transfer-encoding':
        if (head.chunked || !isChunked(text.slice(valueStart, valueEnd))) return BAD_TRANSFER_ENCODING
        head.chunked = true
        continue
      case 'connection':
        connection = joined(connection, text.slice(valueStart, valueEnd))
        continue
      case 'keep-alive':
        continue
      case 'proxy-connection':
        // Of clients that take everybody for a proxy of theirs: they mean the same by it.
        if (text.slice(valueStart, valueEnd).toLowerCase() === 'close') head.close = true
        continue
      case 'upgrade':
        upgrade = joined(upgrade, text.slice(valueStart, valueEnd))
        continue
      case 'expect':
        if (isRequest && text.slice(valueStart, valueEnd).toLowerCase() === '100-continue') {
          head.expectContinue = true
          continue
        }
        break
    }
    headers.appendPart(name, valueStart, valueEnd)
  }
  if (head.chunked) {
    if (head.contentLength >= 0 && http1.allowChunkedLength !== true) return LENGTH_AND_CHUNKED
    // RFC 9112 §6.1: a transfer coding in an HTTP/1.0 message is faulty framing.
    if (head.minor === 0) return BAD_TRANSFER_ENCODING
    if (head.contentLength >= 0) headers.delete('content-length')
    head.contentLength = -1
  }
  if (isRequest && head.method === 'CONNECT') {
    // RFC 9110 §9.3.6: its content means nothing; what comes behind it is the tunnel's.
    if (head.chunked) return BAD_TRANSFER_ENCODING
    if (head.contentLength > 0) return BODY_DISALLOWED
    headers.delete('content-length')
  }
  if (connection === undefined) return undefined
  const said = isRequest ? endFields(head, connection) : connection
  if (said === undefined) return BAD_CONNECTION
  applyConnection(head, said, upgrade)
  return undefined
}

function joined(before: string | undefined, value: string): string {
  return before === undefined || before === '' ? value : `${before},${value}`
}

function readNames(text: string, origin: number, http1: Http1CodecOptions): HeaderMap['casing'] {
  const originals = new Map<string, string>()
  for (let i = 0; i < placeCount; i++) {
    const name = text.slice(places[i * 4]! - origin, places[i * 4 + 1]! - origin)
    originals.set(name.toLowerCase(), name)
  }
  return rememberNames(originals, http1)
}

/** Options that are no names of fields. */
const OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'http2-settings'])
/** Whose removal would hide where a request comes from. */
const KEPT_FOR: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])
const MAX_OPTIONS = 10

/** Takes off the fields that end here (RFC 9110 §7.6.1). What is left of Connection; undefined: it asks for what Envoy refuses. */
function endFields(head: Head, connection: string): string | undefined {
  if (OPTIONS.has(connection)) return connection
  const options = connection.split(',')
  if (options.length >= MAX_OPTIONS) return undefined
  const kept = options.filter((each) => OPTIONS.has(each.trim().toLowerCase()))
  if (kept.length === options.length) return connection
  for (const each of options) {
    const name = each.trim().toLowerCase()
    if (KEPT_FOR.has(name) || name.startsWith(':')) return undefined
    if (name === 'host') head.host = undefined
    else if (name === 'te') endTe(head)
    else if (name !== '' && name !== 'content-length' && !OPTIONS.has(name)) head.headers.delete(name)
  }
  return kept.join(',')
}

/** That trailers are welcome goes on to the next hop. */
function endTe({ headers }: Head): void {
  const codings = headers.get('te')?.split(',') ?? []
  if (codings.some((coding) => coding.trim().toLowerCase() === 'trailers')) headers.set('te', 'trailers')
  else headers.delete('te')
}

/** Connection's options: close, keep-alive, upgrade. */
function applyConnection(head: Head, connection: string, upgrade: string | undefined): void {
  // What most say, in as many letters.
  if (connection === 'keep-alive') {
    head.close = false
    return
  }
  let close = false
  let keepAlive = false
  for (const part of connection.split(',')) {
    const option = part.trim().toLowerCase()
    if (option === 'close') close = true
    else if (option === 'keep-alive') keepAlive = true
    else if (option === 'upgrade') head.upgrade = upgrade?.toLowerCase()
  }
  head.close = close || (head.minor === 0 && !keepAlive)
  if (head.upgrade === undefined || upgrade === undefined) return
  // Who passes the upgrade on says both as they were said.
  head.headers.append('connection', connection)
  head.headers.append('upgrade', upgrade)
}

function isHost(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (HOST[value.charCodeAt(i)] !== 1) return false
  return true
}

function isChunked(value: string): boolean {
  return value === 'chunked' || (value.length === 7 && value.toLowerCase() === 'chunked')
}

/** Digits only, and no more than a number holds exactly; -1 otherwise. Leading zeros count: they hide lengths from other readers. */
function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15 || (value.length > 1 && value.charCodeAt(0) === 48)) return -1
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}
