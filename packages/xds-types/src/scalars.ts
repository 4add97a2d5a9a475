import { describe } from './context.js'
import { KIND } from './kinds.js'
import { misfit } from './misfit.js'
import { fromBase64, toBase64 } from './wire/base64.js'
import type { Reader } from './wire/reader.js'
import type { Writer } from './wire/writer.js'

const WIRE_TYPES: Readonly<Record<number, number>> = { 1: 1, 2: 5, 6: 1, 7: 5, 9: 2, 11: 2, 12: 2, 15: 5, 16: 1 }
const INTEGER_RANGES: Readonly<Record<number, readonly [low: number, high: number]>> = {
  [KIND.int32]: [-0x8000_0000, 0x7fff_ffff],
  [KIND.sint32]: [-0x8000_0000, 0x7fff_ffff],
  [KIND.sfixed32]: [-0x8000_0000, 0x7fff_ffff],
  [KIND.uint32]: [0, 0xffff_ffff],
  [KIND.fixed32]: [0, 0xffff_ffff],
}
const SIGNED_64: readonly [bigint, bigint] = [-(1n << 63n), (1n << 63n) - 1n]
const UNSIGNED_64: readonly [bigint, bigint] = [0n, (1n << 64n) - 1n]
const LARGE_RANGES: Readonly<Record<number, readonly [low: bigint, high: bigint]>> = {
  [KIND.int64]: SIGNED_64,
  [KIND.sint64]: SIGNED_64,
  [KIND.sfixed64]: SIGNED_64,
  [KIND.uint64]: UNSIGNED_64,
  [KIND.fixed64]: UNSIGNED_64,
}

export function wireTypeOf(kind: number): number {
  return WIRE_TYPES[kind] ?? 0
}

/** What an absent scalar means, in memory form. */
export function zeroOf(kind: number): string | number | boolean {
  if (kind === KIND.string || kind === KIND.bytes) return ''
  if (kind === KIND.bool) return false
  return LARGE_RANGES[kind] === undefined ? 0 : '0'
}

export function isZero(kind: number, value: unknown): boolean {
  // By `typeof`: a comparison that meets values of all types is a call.
  switch (typeof value) {
    case 'number':
      return value === 0 && !Object.is(value, -0)
    case 'boolean':
      return !value
    case 'string':
      return value.length === 0 || (value === '0' && LARGE_RANGES[kind] !== undefined)
    case 'bigint':
      return value === 0n
    default:
      return kind === KIND.bytes && (value as Uint8Array | null | undefined)?.length === 0
  }
}

/**
 * The one in-memory form of a scalar, or undefined when `value` is not of the kind. This is the single place that says what
 * is accepted: numbers also as text, 64-bit integers also as numbers, bytes as base64 or bytes.
 */
export function normalScalar(kind: number, value: unknown): string | number | boolean | Uint8Array | undefined {
  if (kind === KIND.string) return typeof value === 'string' ? value : undefined
  if (kind === KIND.bool) return typeof value === 'boolean' ? value : undefined
  if (kind === KIND.bytes) {
    if (value instanceof Uint8Array) return value
    return typeof value === 'string' && fromBase64(value) !== undefined ? value : undefined
  }
  if (kind === KIND.double || kind === KIND.float) return normalFloat(kind, value)
  const range = INTEGER_RANGES[kind]
  if (range === undefined) return normalLarge(kind, value)
  const number = typeof value === 'number' ? value : numberFromText(value)
  return number !== undefined && Number.isInteger(number) && number >= range[0] && number <= range[1] ? number : undefined
}

function normalFloat(kind: number, value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : value === 'NaN' ? Number.NaN : numberFromText(value)
  if (number === undefined) return undefined
  return kind === KIND.float && Number.isFinite(number) && !Number.isFinite(Math.fround(number)) ? undefined : number
}

function normalLarge(kind: number, value: unknown): string | undefined {
  if (typeof value === 'string' && shortInteger(value) >= 0) return value
  const integer = toBigInt(value)
  const range = LARGE_RANGES[kind]
  return integer !== undefined && range !== undefined && integer >= range[0] && integer <= range[1]
    ? integer.toString()
    : undefined
}

function numberFromText(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  if (value === 'Infinity' || value === '-Infinity') return Number(value)
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined
}

/** What up to nine digits say; -1 when it is another text, or an integer that canonical JSON spells otherwise. */
function shortInteger(text: string): number {
  const { length } = text
  if (length === 0 || length > 9 || (length > 1 && text.charCodeAt(0) === 48)) return -1
  let whole = 0
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    whole = whole * 10 + digit
  }
  return whole
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined
}

/** By kind, for values that {@link normalScalar} has passed. */
const WRITERS: Readonly<Record<number, (writer: Writer, value: never) => void>> = {
  [KIND.string]: (writer, value: string) => writer.string(value),
  [KIND.bool]: (writer, value: boolean) => writer.varint32(value ? 1 : 0),
  [KIND.bytes]: (writer, value: string | Uint8Array) =>
    writer.bytes(typeof value === 'string' ? (fromBase64(value) as Uint8Array) : value),
  [KIND.double]: (writer, value: number) => writer.double(value),
  [KIND.float]: (writer, value: number) => writer.float(value),
  [KIND.uint32]: (writer, value: number) => writer.varint32(value),
  [KIND.int32]: (writer, value: number) => writer.int32(value),
  [KIND.sint32]: (writer, value: number) => writer.varint32(((value << 1) ^ (value >> 31)) >>> 0),
  [KIND.fixed32]: (writer, value: number) => writer.fixed32(value),
  [KIND.sfixed32]: (writer, value: number) => writer.fixed32(value),
  [KIND.fixed64]: (writer, value: string) => writer.fixed64(BigInt(value)),
  [KIND.sfixed64]: (writer, value: string) => writer.fixed64(BigInt(value)),
  [KIND.sint64]: (writer, value: string) => writer.varint64((BigInt(value) << 1n) ^ (BigInt(value) >> 63n)),
  [KIND.int64]: writeVarint64,
  [KIND.uint64]: writeVarint64,
}

export function writeScalar(writer: Writer, kind: number, value: unknown): void {
  if (writeUsual(writer, kind, value)) return
  const normal = normalScalar(kind, value)
  if (normal === undefined) misfit(`expected ${kindName(kind)}, got ${describe(value)}`)
  WRITERS[kind]?.(writer, normal as never)
}

/** What nearly all values are, without a detour; false, and nothing written, for the others. */
function writeUsual(writer: Writer, kind: number, value: unknown): boolean {
  if (typeof value === 'string') {
    if (kind === KIND.string) writer.string(value)
    else if (kind === KIND.int64 || kind === KIND.uint64) {
      const whole = shortInteger(value)
      if (whole < 0) return false
      writer.varint32(whole)
    } else return false
  } else if (typeof value === 'number') {
    if (kind !== KIND.uint32 || value >>> 0 !== value) return false
    writer.varint32(value)
  } else if (typeof value === 'boolean' && kind === KIND.bool) writer.varint32(value ? 1 : 0)
  else return false
  return true
}

function writeVarint64(writer: Writer, text: string): void {
  const number = Number(text)
  if (number >= 0 && number <= 0xffff_ffff) writer.varint32(number)
  else writer.varint64(BigInt(text))
}

const READERS: Readonly<Record<number, (reader: Reader) => string | number | boolean>> = {
  [KIND.string]: (reader) => reader.string(),
  [KIND.bool]: (reader) => reader.varint64() !== 0n,
  [KIND.bytes]: (reader) => toBase64(reader.slice()),
  [KIND.double]: (reader) => reader.double(),
  [KIND.float]: (reader) => shortestFloat(reader.float()),
  [KIND.uint32]: (reader) => reader.varint32(),
  [KIND.int32]: (reader) => reader.varint32() | 0,
  [KIND.sint32]: (reader) => unzigzag(reader.varint32()),
  [KIND.fixed32]: (reader) => reader.fixed32(),
  [KIND.sfixed32]: (reader) => reader.fixed32() | 0,
  [KIND.fixed64]: (reader) => reader.fixed64().toString(),
  [KIND.sfixed64]: (reader) => BigInt.asIntN(64, reader.fixed64()).toString(),
  [KIND.sint64]: (reader) => unzigzag64(reader.varint64()).toString(),
  [KIND.int64]: (reader) => BigInt.asIntN(64, reader.varint64()).toString(),
  [KIND.uint64]: (reader) => reader.varint64().toString(),
}

const unzigzag = (value: number): number => (value >>> 1) ^ -(value & 1)
const unzigzag64 = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n)

export function readScalar(reader: Reader, kind: number): string | number | boolean {
  const read = READERS[kind] as (reader: Reader) => string | number | boolean
  return read(reader)
}

/** The shortest decimal that is the same float: 0.1, not 0.10000000149011612. */
function shortestFloat(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}

/** Non-finite numbers as text and bytes as base64: what JSON can hold. */
export function scalarToJson(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? toBase64(value) : value
}

export function kindName(kind: number): string {
  return Object.entries(KIND).find(([, number]) => number === kind)?.[0] ?? 'a value'
}
