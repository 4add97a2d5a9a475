import { FIELD_VALUE } from './field-value.js'

const SPACE = 32

/**
 * Header fields in the order they came: names in lower case, every field line kept as its own entry (RFC 9110 §5.3).
 * Values are strings of bytes (latin1): one character is one octet on the wire. Names are plain strings in arrays, so
 * `__proto__` and names that look like indices are names like any other.
 */
export interface HeaderMap {
  /** Of a message whose sender's spelling is kept: how a name is written; undefined: in lower case. */
  casing: ((name: string) => string) | undefined
  /** Number of field lines. */
  readonly size: number
  /** Of the first line with that name. Names are compared without case; lower-case names are found fastest. */
  get(name: string): string | undefined
  /** Of every line with that name, in order. */
  getAll(name: string): readonly string[]
  has(name: string): boolean
  /** Leaves exactly one line with that name, where the first stood; a new name goes to the end. */
  set(name: string, value: string): void
  /** Adds a line at the end. */
  append(name: string, value: string): void
  /** {@link append} for a name that is known to be in lower case. */
  appendLower(name: string, value: string): void
  /** Removes every line with that name; false when there was none. */
  delete(name: string): boolean
  /** Removes every line for which `drop` is true. */
  deleteWhere(drop: (name: string, value: string) => boolean): void
  /** Name and value by place, 0 to `size` - 1; for loops that must not allocate. */
  nameAt(index: number): string
  valueAt(index: number): string
  entries(): IterableIterator<[name: string, value: string]>
  [Symbol.iterator](): IterableIterator<[name: string, value: string]>
  clone(): HeaderMap
  /** Octets of the value at `index`. */
  lengthAt(index: number): number
  /** Writes the value at `index` to `bytes` from `at`; returns where it ends. Where a value has an octet that none may have, a space is written (RFC 9110 §5.5). */
  writeAt(index: number, bytes: Buffer, at: number): number
}

/** What a codec has read: values are parts of the head's text, and are cut out of it when somebody asks for them. */
export interface ReadHeaders extends HeaderMap {
  /** {@link HeaderMap.appendLower} for a value that has been checked. */
  appendPart(name: string, start: number, end: number): void
}

export function createReadHeaders(text: string): ReadHeaders {
  return new Lines([], [], text)
}

/** A new map; with the lines of `entries`. */
export function createHeaderMap(entries?: Iterable<readonly [name: string, value: string]>): HeaderMap {
  const map = new Lines([], [], '')
  if (entries !== undefined) for (const [name, value] of entries) map.append(name, value)
  return map
}

/** A value, or where it lies in the text: its start in the upper 16 bits, its length in the lower. */
type Value = string | number

const MOST_IN_16_BITS = 0xffff
/** Fewer characters are written faster one by one than by the engine. */
const WORTH_A_CALL = 48

class Lines implements ReadHeaders {
  casing: HeaderMap['casing']
  readonly #names: string[]
  readonly #values: Value[]
  readonly #text: string

  constructor(names: string[], values: Value[], text: string) {
    this.#names = names
    this.#values = values
    this.#text = text
    this.casing = undefined
  }

  get size(): number {
    return this.#names.length
  }

  get(name: string): string | undefined {
    const at = this.#find(name)
    return at < 0 ? undefined : this.valueAt(at)
  }

  getAll(name: string): readonly string[] {
    const wanted = lowerCase(name)
    const names = this.#names
    const found: string[] = []
    for (let i = 0; i < names.length; i++) if (names[i] === wanted) found.push(this.valueAt(i))
    return found
  }

  has(name: string): boolean {
    return this.#find(name) >= 0
  }

  set(name: string, value: string): void {
    const at = this.#find(name)
    if (at < 0) {
      if (isKnownLower(name)) this.appendLower(name, value)
      else this.append(name, value)
      return
    }
    this.#values[at] = value
    this.#removeFrom(at + 1, this.#names[at]!)
  }

  append(name: string, value: string): void {
    this.appendLower(lowerCase(name), value)
  }

  appendLower(name: string, value: string): void {
    this.#names.push(name)
    this.#values.push(value)
  }

  appendPart(name: string, start: number, end: number): void {
    this.#names.push(name)
    this.#values.push(end > MOST_IN_16_BITS ? this.#text.slice(start, end) : (start << 16) | (end - start))
  }

  delete(name: string): boolean {
    const at = this.#find(name)
    if (at < 0) return false
    this.#removeFrom(at, this.#names[at]!)
    return true
  }

  deleteWhere(drop: (name: string, value: string) => boolean): void {
    const names = this.#names
    const values = this.#values
    let kept = 0
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      const value = values[i]!
      if (drop(name, this.valueAt(i))) continue
      names[kept] = name
      values[kept++] = value
    }
    names.length = values.length = kept
  }

  nameAt(index: number): string {
    return this.#names[index]!
  }

  valueAt(index: number): string {
    const value = this.#values[index]!
    if (typeof value === 'string') return value
    // Cut anew each time: what stays a place in the text needs no check when it is written.
    const start = value >>> 16
    return this.#text.slice(start, start + (value & MOST_IN_16_BITS))
  }

  lengthAt(index: number): number {
    const value = this.#values[index]!
    return typeof value === 'string' ? value.length : value & MOST_IN_16_BITS
  }

  writeAt(index: number, bytes: Buffer, start: number): number {
    const value = this.#values[index]!
    let at = start
    if (typeof value === 'string') {
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i)
        bytes[at++] = code < 256 && FIELD_VALUE[code] === 1 ? code : SPACE
      }
      return at
    }
    const text = this.#text
    const from = value >>> 16
    const length = value & MOST_IN_16_BITS
    const end = from + length
    if (length > WORTH_A_CALL) return start + bytes.write(text.slice(from, end), start, length, 'latin1')
    for (let i = from; i < end; i++) bytes[at++] = text.charCodeAt(i)
    return at
  }

  *entries(): IterableIterator<[string, string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i]!, this.valueAt(i)]
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }

  clone(): HeaderMap {
    const copy = new Lines(this.#names.slice(), this.#values.slice(), this.#text)
    copy.casing = this.casing
    return copy
  }

  #find(name: string): number {
    const names = this.#names
    for (let i = 0; i < names.length; i++) if (names[i] === name) return i
    return isKnownLower(name) ? -1 : names.indexOf(lowerCase(name))
  }

  #removeFrom(start: number, name: string): void {
    const names = this.#names
    const values = this.#values
    let kept = start
    for (let i = start; i < names.length; i++) {
      if (names[i] === name) continue
      names[kept] = names[i]!
      values[kept++] = values[i]!
    }
    names.length = values.length = kept
  }
}

/** The engine's one string of a name: comparing it with a name that a codec knows, or with a literal, compares pointers. */
export function internName(name: string): string {
  return Object.keys({ [name]: true })[0]!
}

/** Names that were found to be in lower case, by length and last letter: most names are asked for again and again. */
const knownLower: string[] = new Array(256).fill('')

function isKnownLower(name: string): boolean {
  const { length } = name
  const slot = (length * 7 + name.charCodeAt(length - 1)) & 255
  if (knownLower[slot] === name) return true
  if (lowerCase(name) !== name) return false
  // A name that a codec has cut out of a head must not hold on to it.
  knownLower[slot] = internName(name)
  return true
}

// ASCII only: field names are tokens, and a lower-casing that knows Unicode would let U+212A pass for `k`.
function lowerCase(name: string): string {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code >= 65 && code <= 90) return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  }
  return name
}
