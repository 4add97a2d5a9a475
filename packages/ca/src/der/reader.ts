import { fail, ok, problem, type Result } from '@heddle/runtime'

/** Nesting deeper than this is refused. A certificate needs about eight. */
export const MAX_DER_DEPTH = 32
/** Longer input is refused, unless the caller says otherwise. */
export const MAX_DER_BYTES: number = 64 * 1024

/** One element. Views into the input, never copies. */
export interface DerNode {
  /** The identifier byte: 0x30 SEQUENCE, 0xa0 [0] constructed, … */
  readonly tag: number
  readonly content: Uint8Array
  /** Header and content. */
  readonly raw: Uint8Array
  /** Of a constructed element; empty for a primitive one. */
  readonly children: readonly DerNode[]
}

class DerError extends Error {}

/**
 * Reads exactly one element and all in it, strictly by X.690 DER: definite, shortest lengths, one-byte tags, nothing after the end.
 * Everything that reads certificates or requests reads them through this first.
 */
export function readDer(bytes: Uint8Array, { maxBytes = MAX_DER_BYTES }: { maxBytes?: number } = {}): Result<DerNode> {
  if (bytes.length > maxBytes) return fail(problem('ca.der', '', `${bytes.length} bytes; the limit is ${maxBytes}`))
  try {
    const node = readNode(bytes, 0, bytes.length, 0)
    if (node.raw.length !== bytes.length) throw new DerError('bytes follow the end')
    return ok(node)
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    return fail(problem('ca.der', '', `not DER: ${error.message}`))
  }
}

function readNode(bytes: Uint8Array, start: number, end: number, depth: number): DerNode {
  if (depth > MAX_DER_DEPTH) throw new DerError(`nested deeper than ${MAX_DER_DEPTH}`)
  if (end - start < 2) throw new DerError('it ends in the middle of an element')
  const tag = bytes[start] as number
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of more than one byte')
  const { length, at } = readLength(bytes, start + 1, end)
  if (length > end - at) throw new DerError('a length goes past the end')
  const stop = at + length
  const children: DerNode[] = []
  if ((tag & 0x20) !== 0) {
    for (let next = at; next < stop; ) {
      const child = readNode(bytes, next, stop, depth + 1)
      children.push(child)
      next += child.raw.length
    }
  }
  return { tag, content: bytes.subarray(at, stop), raw: bytes.subarray(start, stop), children }
}

function readLength(bytes: Uint8Array, start: number, end: number): { length: number; at: number } {
  const first = bytes[start] as number
  if (first < 0x80) return { length: first, at: start + 1 }
  const count = first & 0x7f
  if (count === 0 || count > 3) throw new DerError('an indefinite or oversized length')
  if (start + 1 + count > end) throw new DerError('it ends in the middle of a length')
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[start + i] as number)
  if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length that is not the shortest')
  return { length, at: start + 1 + count }
}

/** `1.2.840.10045.2.1` from the content of an OBJECT IDENTIFIER; undefined when it is not one. Arcs above 2^53 are refused. */
export function readOid(node: DerNode | undefined): string | undefined {
  if (node?.tag !== 0x06 || node.content.length === 0) return undefined
  const arcs: number[] = []
  let value = 0
  let open = false
  for (const byte of node.content) {
    if (!open && byte === 0x80) return undefined
    value = value * 128 + (byte & 0x7f)
    if (!Number.isSafeInteger(value)) return undefined
    open = byte >= 0x80
    if (open) continue
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)))
    else arcs.push(value)
    value = 0
  }
  return open ? undefined : arcs.join('.')
}

/** The bytes of a BIT STRING of whole bytes. */
export function readBitString(node: DerNode | undefined): Uint8Array | undefined {
  return node?.tag === 0x03 && node.content.length > 0 && node.content[0] === 0 ? node.content.subarray(1) : undefined
}
