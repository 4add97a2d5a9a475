/** What a TLS ClientHello says in clear. */
export interface ClientHello {
  readonly serverName?: string
  /** In the client's order. */
  readonly alpn: readonly string[]
}

/** All that fingerprints are made of, in the client's order. */
export interface ClientHelloParts {
  readonly version: number
  readonly ciphers: readonly number[]
  readonly extensions: readonly number[]
  readonly groups: readonly number[]
  readonly pointFormats: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  /** Of supported_versions. */
  readonly versions: readonly number[]
  readonly alpn: readonly string[]
}

/** `not_tls`: the first bytes are no TLS handshake. `malformed`: they claim to be, and are not. */
export type ClientHelloOutcome =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'more' | 'not_tls' | 'malformed' }

/** Envoy's tls_inspector reads no more: larger ClientHellos are refused. */
export const MAX_CLIENT_HELLO: number = 64 * 1024

const HANDSHAKE = 0x16
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const ALPN = 16
const SUPPORTED_GROUPS = 10
const EC_POINT_FORMATS = 11
const SIGNATURE_ALGORITHMS = 13
const SUPPORTED_VERSIONS = 43
const NOTHING = new Uint8Array()

const MORE: ClientHelloOutcome = { kind: 'more' }
const NOT_TLS: ClientHelloOutcome = { kind: 'not_tls' }
const MALFORMED: ClientHelloOutcome = { kind: 'malformed' }

/** Reads the first flight of a connection (RFC 8446 §4.1.2, §5.1). Records and segments may split it anywhere. Never throws. */
export function readClientHello(bytes: Uint8Array): ClientHelloOutcome {
  if (bytes.length === 0) return MORE
  if (bytes[0] !== HANDSHAKE) return NOT_TLS
  if (bytes.length >= 2 && bytes[1] !== 3) return NOT_TLS
  const message = unwrapRecords(bytes)
  if (message === undefined) return MALFORMED
  if (message.length < 4) return bytes.length > MAX_CLIENT_HELLO ? MALFORMED : MORE
  if (message[0] !== CLIENT_HELLO) return MALFORMED
  const length = (message[1]! << 16) | (message[2]! << 8) | message[3]!
  if (length > MAX_CLIENT_HELLO) return MALFORMED
  if (message.length < 4 + length) return bytes.length > 2 * MAX_CLIENT_HELLO ? MALFORMED : MORE
  const hello = readHello(new Cursor(message, 4, 4 + length))
  return hello === undefined ? MALFORMED : { kind: 'hello', hello }
}

/** The handshake bytes of all whole and partial records; undefined when a record is of another kind or too long. */
function unwrapRecords(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let at = 0
  while (at + 5 <= bytes.length) {
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!
    if (bytes[at] !== HANDSHAKE || length === 0 || length > 16384) return undefined
    parts.push(bytes.subarray(at + 5, Math.min(at + 5 + length, bytes.length)))
    at += 5 + length
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** Of bytes that {@link readClientHello} has read. */
export function readClientHelloParts(bytes: Uint8Array): ClientHelloParts {
  const message = unwrapRecords(bytes) ?? NOTHING
  const cursor = new Cursor(message, Math.min(4, message.length), message.length)
  const version = cursor.u16()
  cursor.skip(32)
  cursor.skip(cursor.u8())
  const ciphers = cursor.part(cursor.u16()).numbers()
  cursor.skip(cursor.u8())
  const lists = new Map<number, Cursor>()
  const extensions: number[] = []
  const all = cursor.part(cursor.u16())
  while (all.left > 0 && !all.failed) {
    const type = all.u16()
    extensions.push(type)
    lists.set(type, all.part(all.u16()))
  }
  const list = (type: number, lengthBytes: 1 | 2): Cursor => {
    const data = lists.get(type) ?? new Cursor(message, 0, 0)
    return data.part(lengthBytes === 1 ? data.u8() : data.u16())
  }
  return {
    ...{ version, ciphers, extensions },
    groups: list(SUPPORTED_GROUPS, 2).numbers(),
    pointFormats: list(EC_POINT_FORMATS, 1).octets(),
    signatureAlgorithms: list(SIGNATURE_ALGORITHMS, 2).numbers(),
    versions: list(SUPPORTED_VERSIONS, 1).numbers(),
    alpn: (lists.has(ALPN) ? readAlpn(lists.get(ALPN)!) : undefined) ?? [],
  }
}

function readHello(cursor: Cursor): ClientHello | undefined {
  cursor.skip(2 + 32)
  cursor.skip(cursor.u8())
  cursor.skip(cursor.u16())
  cursor.skip(cursor.u8())
  if (cursor.failed) return undefined
  if (cursor.left === 0) return { alpn: [] }
  const extensions = cursor.part(cursor.u16())
  let serverName: string | undefined
  let alpn: readonly string[] | undefined
  while (extensions.left > 0 && !extensions.failed) {
    const type = extensions.u16()
    const data = extensions.part(extensions.u16())
    if (extensions.failed) return undefined
    // RFC 8446 §4.2: an extension comes once.
    if (type === SERVER_NAME) {
      if (serverName !== undefined) return undefined
      serverName = readServerName(data)
      if (serverName === undefined) return undefined
    } else if (type === ALPN) {
      if (alpn !== undefined) return undefined
      alpn = readAlpn(data)
      if (alpn === undefined) return undefined
    }
  }
  if (cursor.failed || extensions.failed) return undefined
  return serverName === undefined ? { alpn: alpn ?? [] } : { serverName, alpn: alpn ?? [] }
}

// RFC 6066 §3: one host name in ASCII, without a dot at its end. Anything that could lie in a log or a matcher is refused.
function readServerName(data: Cursor): string | undefined {
  const list = data.part(data.u16())
  const type = list.u8()
  const name = list.text(list.u16())
  if (data.failed || list.failed || list.left > 0 || type !== 0) return undefined
  return /^[A-Za-z0-9._*-]{1,255}$/.test(name) ? name.toLowerCase() : undefined
}

function readAlpn(data: Cursor): readonly string[] | undefined {
  const list = data.part(data.u16())
  const protocols: string[] = []
  while (list.left > 0 && !list.failed) {
    const length = list.u8()
    if (length === 0) return undefined
    protocols.push(list.text(length))
  }
  return data.failed || list.failed || protocols.length === 0 ? undefined : protocols
}

/** Reads forward; past the end it yields zeros and remembers that it failed. */
class Cursor {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number
  failed = false

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#at
  }

  u8(): number {
    return this.#take(1) ? this.#bytes[this.#at - 1]! : 0
  }

  u16(): number {
    return this.#take(2) ? (this.#bytes[this.#at - 2]! << 8) | this.#bytes[this.#at - 1]! : 0
  }

  /** What is left, by twos. */
  numbers(): readonly number[] {
    const numbers: number[] = []
    while (this.left > 1) numbers.push(this.u16())
    return numbers
  }

  octets(): readonly number[] {
    const octets: number[] = []
    while (this.left > 0) octets.push(this.u8())
    return octets
  }

  skip(length: number): void {
    this.#take(length)
  }

  part(length: number): Cursor {
    if (!this.#take(length)) return new Cursor(this.#bytes, 0, 0)
    return new Cursor(this.#bytes, this.#at - length, this.#at)
  }

  text(length: number): string {
    if (!this.#take(length)) return ''
    let text = ''
    for (let i = this.#at - length; i < this.#at; i++) text += String.fromCharCode(this.#bytes[i]!)
    return text
  }

  #take(length: number): boolean {
    if (this.failed || length > this.left) {
      this.failed = true
      return false
    }
    this.#at += length
    return true
  }
}
