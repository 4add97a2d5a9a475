import { FIELD_VALUE } from '../field-value.js'
import { TOKEN } from '../h1/tables.js'
import { STATIC_TABLE } from './static-table.js'

const STATIC_COUNT = 61
const ENTRY_OVERHEAD = 32
/** Names whose values come once: they would only push others out of the table. */
const NEVER_INDEXED: ReadonlySet<string> = new Set(
  (
    ':path age content-length etag grpc-timeout if-match if-modified-since if-none-match last-modified location set-cookie ' +
    'traceparent tracestate x-b3-parentspanid x-b3-spanid x-b3-traceid x-envoy-upstream-service-time x-request-id'
  ).split(' '),
)
/** So many values of one name may go into the table before one of them has been of use. */
const PATIENCE = 8
/** Names whose history is kept; those of others is forgotten with their last value. */
const MAX_NAMES = 256
/** RFC 7541 §7.1.3: short secrets could be guessed by watching lengths. */
const SHORT_SECRET = 20

/** The writing side of HPACK (RFC 7541), without Huffman: a few more bytes for much less work. */
export interface HpackEncoder {
  /** The peer's SETTINGS_HEADER_TABLE_SIZE; told with the next block. */
  setMaxTableSize(size: number): void
  /** At the start of each block: a change of the table's size. Returns where to go on; needs {@link MAX_PREFIX} bytes of room. */
  begin(into: Buffer, at: number): number
  /**
   * Writes a field line and returns where to go on; needs {@link maxFieldBytes} bytes of room. What came from a peer was checked
   * when it was read; what filters and config made is checked here: a name that is no token drops the line, a byte that a value
   * cannot have becomes a space (RFC 9110 §5.5).
   */
  field(into: Buffer, at: number, name: string, value: string): number
}

/** The most that {@link HpackEncoder.begin} writes. */
export const MAX_PREFIX = 12

export function maxFieldBytes(name: string, value: string): number {
  return name.length + value.length + 16
}

/** `maxTableSize`: more than this is never used, whatever the peer allows. */
export function createHpackEncoder(maxTableSize = 4096): HpackEncoder {
  return new Encoder(maxTableSize)
}

interface Name {
  /** In the static table; 0: not there. */
  readonly staticIndex: number
  readonly indexed: boolean
  readonly valid: boolean
  /** Of the static table, values with a place of their own; undefined: none. */
  readonly pairs: ReadonlyMap<string, number> | undefined
  /** The newest insertion of each value. */
  readonly values: Map<string, number>
  /** What was said last stands in one of the tables: mostly it is what is said next. */
  last: string | undefined
  /** Its place: below 0 in the static table, else its insertion. */
  lastPlace: number
  inserts: number
  hits: number
}

interface Inserted {
  readonly name: string
  readonly owner: Name
  readonly value: string
  readonly size: number
}

const staticNames = new Map<string, number>()
const staticPairs = new Map<string, Map<string, number>>()
for (const [i, [name, value]] of STATIC_TABLE.entries()) {
  if (!staticNames.has(name)) staticNames.set(name, i + 1)
  if (value === '') continue
  const values = staticPairs.get(name) ?? new Map<string, number>()
  values.set(value, i + 1)
  staticPairs.set(name, values)
}

class Encoder implements HpackEncoder {
  readonly #names = new Map<string, Name>()
  readonly #limit: number
  /** Oldest first; those before `#first` are gone. */
  #queue: Inserted[] = []
  #first = 0
  #inserted = 0
  #size = 0
  #maxSize: number
  /** Smallest size since the last block, and whether the peer must be told of one. */
  #smallest: number
  #changed = false

  constructor(maxTableSize: number) {
    this.#limit = maxTableSize
    this.#maxSize = Math.min(maxTableSize, 4096)
    this.#smallest = this.#maxSize
  }

  setMaxTableSize(size: number): void {
    const next = Math.min(size, this.#limit)
    if (next === this.#maxSize) return
    this.#maxSize = next
    this.#smallest = Math.min(this.#smallest, next)
    this.#changed = true
    this.#evict(0)
  }

  begin(into: Buffer, at: number): number {
    if (!this.#changed) return at
    this.#changed = false
    let next = at
    if (this.#smallest < this.#maxSize) next = integer(into, next, 5, 0x20, this.#smallest)
    this.#smallest = this.#maxSize
    return integer(into, next, 5, 0x20, this.#maxSize)
  }

  field(into: Buffer, at: number, name: string, value: string): number {
    const known = this.#names.get(name) ?? this.#addName(name)
    if (known.last === value) {
      const place = known.lastPlace
      if (place < 0) {
        into[at] = 0x80 | -place
        return at + 1
      }
      if (place > this.#inserted - (this.#queue.length - this.#first)) return this.#refer(into, at, known, place)
    }
    return this.#otherThanLast(into, at, name, value, known)
  }

  /** To an entry of the table. */
  #refer(into: Buffer, at: number, known: Name, insertion: number): number {
    known.hits++
    return integer(into, at, 7, 0x80, STATIC_COUNT + this.#inserted - insertion + 1)
  }

  #otherThanLast(into: Buffer, at: number, name: string, value: string, known: Name): number {
    const pair = known.pairs?.get(value)
    if (pair !== undefined) {
      known.last = value
      known.lastPlace = -pair
      into[at] = 0x80 | pair
      return at + 1
    }
    if (!known.valid) return at
    // Of names that are never indexed nothing is kept, and most values are new: to look for one takes longer than to write it.
    const insertion = known.indexed ? known.values.get(value) : undefined
    if (insertion !== undefined) {
      known.last = value
      known.lastPlace = insertion
      return this.#refer(into, at, known, insertion)
    }
    const size = name.length + value.length + ENTRY_OVERHEAD
    if (value.length < SHORT_SECRET && (name === 'cookie' || name === 'authorization'))
      return this.#literal(into, at, 4, 0x10, known, name, value)
    if (!known.indexed || size * 2 > this.#maxSize || known.inserts > known.hits * 2 + PATIENCE)
      return this.#literal(into, at, 4, 0, known, name, value)
    const next = this.#literal(into, at, 6, 0x40, known, name, value)
    this.#insert({ name, owner: known, value, size })
    return next
  }

  #literal(into: Buffer, at: number, prefix: number, first: number, known: Name, name: string, value: string): number {
    const next = integer(into, at, prefix, first, known.staticIndex)
    return checkedText(into, known.staticIndex === 0 ? text(into, next, name) : next, value)
  }

  #addName(name: string): Name {
    const known: Name = {
      staticIndex: staticNames.get(name) ?? 0,
      indexed: !NEVER_INDEXED.has(name),
      valid: isFieldName(name),
      pairs: staticPairs.get(name),
      values: new Map(),
      last: undefined,
      lastPlace: 0,
      inserts: 0,
      hits: 0,
    }
    if (this.#names.size < MAX_NAMES) this.#names.set(name, known)
    return known
  }

  #insert(entry: Inserted): void {
    this.#evict(entry.size)
    if (!this.#names.has(entry.name)) this.#names.set(entry.name, entry.owner)
    entry.owner.inserts++
    entry.owner.values.set(entry.value, ++this.#inserted)
    this.#queue.push(entry)
    this.#size += entry.size
  }

  #evict(room: number): void {
    while (this.#first < this.#queue.length && this.#size + room > this.#maxSize) {
      const { name, owner, value, size } = this.#queue[this.#first++]!
      const insertion = this.#inserted - (this.#queue.length - this.#first)
      this.#size -= size
      if (owner.values.get(value) === insertion) owner.values.delete(value)
      if (owner.values.size === 0 && this.#names.size > MAX_NAMES) this.#names.delete(name)
    }
    if (this.#first > 64 && this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
  }
}

/** A token in lower case, or a pseudo field. */
function isFieldName(name: string): boolean {
  for (let i = name.startsWith(':') ? 1 : 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code > 127 || TOKEN[code] !== 1 || (code >= 65 && code <= 90)) return false
  }
  return name !== ''
}

/** §5.1. */
function integer(into: Buffer, at: number, prefix: number, first: number, value: number): number {
  const mask = (1 << prefix) - 1
  if (value < mask) {
    into[at] = first | value
    return at + 1
  }
  into[at++] = first | mask
  let rest = value - mask
  while (rest >= 128) {
    into[at++] = (rest & 127) | 128
    rest = Math.floor(rest / 128)
  }
  into[at++] = rest
  return at
}

/** Calling the engine to write a text takes as long as writing so many characters. */
const SHORT = 48

/** §5.2, in latin1: one character is one octet. */
function text(into: Buffer, at: number, value: string): number {
  const { length } = value
  const start = integer(into, at, 7, 0, length)
  if (length > SHORT) return start + into.write(value, start, 'latin1')
  for (let i = 0; i < length; i++) into[start + i] = value.charCodeAt(i)
  return start + length
}

/** A space for each octet that no value can have. */
function checkedText(into: Buffer, at: number, value: string): number {
  const { length } = value
  if (length > SHORT) {
    const end = text(into, at, value)
    for (let i = end - length; i < end; i++) if (FIELD_VALUE[into[i]!] !== 1) into[i] = 32
    return end
  }
  const start = integer(into, at, 7, 0, length)
  for (let i = 0; i < length; i++) {
    const octet = value.charCodeAt(i) & 255
    into[start + i] = FIELD_VALUE[octet] === 1 ? octet : 32
  }
  return start + length
}
