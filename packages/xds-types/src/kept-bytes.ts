import type { MessageType, TypeRegistry } from './types.js'

interface Kept {
  readonly registry: TypeRegistry | undefined
  readonly bytes: Uint8Array
}

const kept = /*#__PURE__*/ new WeakMap<MessageType<unknown>, WeakMap<object, Kept>>()
let keeping = false

/** Makes elements of lists that are of `type` be written once, wherever they stand, as long as {@link keepBytes} runs. */
export function keepBytesOf<T>(type: MessageType<T>): void {
  if (!kept.has(type as MessageType<unknown>)) kept.set(type as MessageType<unknown>, new WeakMap())
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

/** Where the bytes of a list's elements are kept; undefined: nowhere. */
export function keptBytesOf(type: MessageType<unknown> | undefined): WeakMap<object, Kept> | undefined {
  return keeping && type !== undefined ? kept.get(type) : undefined
}
