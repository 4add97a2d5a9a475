// The few ways in which descriptors are written; what is empty is left out.

const TEXT = new TextEncoder()

type Parts = readonly Uint8Array[]

export function text(field: number, value: string): Parts {
  return value === '' ? [] : nested(field, [TEXT.encode(value)])
}

/** A varint field, 0 among them. */
export function number(field: number, value: number): Parts {
  return [varint(field * 8), varint(value)]
}

/** Length in front. */
export function nested(field: number, parts: Parts): Parts {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return [varint(field * 8 + 2), varint(length), ...parts]
}

export function joined(parts: Parts): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  // Enum values may be negative: 64 bits, as protobuf has them.
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Uint8Array.from([...bytes, Number(rest)])
}
