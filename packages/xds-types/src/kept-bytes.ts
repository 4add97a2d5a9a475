import { createSideTable, type SideTable } from '@heddle/runtime'
import type { MessageType, TypeRegistry } from './types.js'

interface Kept {
  readonly registry: TypeRegistry | undefined
  readonly bytes: Uint8Array
}

/** A part that {@link writtenOnce} told of, with its bytes from its first encoding on. */
export interface SharedPart {
  kept?: Kept
  /** What it was written as: a message type, or the field that it is the list of. */
  as?: object
}

const kept = /*#__PURE__*/ new WeakMap<MessageType<unknown>, SideTable<Kept>>()
const parts = /*#__PURE__*/ createSideTable<SharedPart>()
let keeping = false

/** Makes elements of lists that are of `type` be written once, wherever they stand, as long as {@link keepBytes} runs. */
export function keepBytesOf<T>(type: MessageType<T>): void {
  if (!kept.has(type as MessageType<unknown>)) kept.set(type as MessageType<unknown>, createSideTable())
}

/**
 * Says that a message, an Any or a list stands in many resources and never changes again: `encodeResource` writes it once. Worth its while for what is
 * larger than a few fields; what stands in one place only gets dearer. Gives the part back, so that it can wrap an expression.
 */
export function writtenOnce<T extends object>(part: T): T {
  if (parts.of(part) === undefined) parts.set(part, {})
  return part
}

/** Encodes messages that do not change any more: what is in them may be taken from an earlier encoding. */
export function keepBytes<T>(encode: () => T): T {
  const before = keeping
  keeping = true
  try {
    return encode()
  } finally {
    keeping = before
  }
}

/** Whether {@link keepBytes} runs. */
export function isKeeping(): boolean {
  return keeping
}

/** Where the bytes of a list's elements are kept; undefined: nowhere. */
export function keptBytesOf(type: MessageType<unknown> | undefined): SideTable<Kept> | undefined {
  return type === undefined ? undefined : kept.get(type)
}

/** Undefined: it is written like anything else. */
export function sharedPart(value: unknown): SharedPart | undefined {
  return typeof value === 'object' && value !== null ? parts.of(value) : undefined
}
