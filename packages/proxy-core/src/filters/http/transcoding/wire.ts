/** One field as it stands on the wire (protobuf encoding): a varint, 8 or 4 bytes as they are, or a run of bytes. */
export interface WireField {
  readonly number: number
  readonly type: 0 | 1 | 2 | 5
  readonly value: bigint
  readonly bytes: Buffer
}

const NO_BYTES = Buffer.alloc(0)

/** The fields of a message, in their order. Undefined: it is none. */
export function readWire(bytes: Uint8Array): readonly WireField[] | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: WireField[] = []
  let at = 0
  const varint = (): bigint | undefined => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = buffer[at++]
      if (byte === undefined) return undefined
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    return undefined
  }
  while (at < buffer.length) {
    const tag = varint()
    if (tag === undefined) return undefined
    const [number, type] = [Number(tag >> 3n), Number(tag & 7n)]
    if (number === 0 || (type !== 0 && type !== 1 && type !== 2 && type !== 5)) return undefined
    if (type === 0) {
      const value = varint()
      if (value === undefined) return undefined
      fields.push({ number, type, value, bytes: NO_BYTES })
      continue
    }
    const length = type === 2 ? varint() : type === 1 ? 8n : 4n
    if (length === undefined || length > BigInt(buffer.length - at)) return undefined
    const end = at + Number(length)
    fields.push({ number, type, value: 0n, bytes: buffer.subarray(at, end) })
    at = end
  }
  return fields
}

export function varintBytes(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 128)
  } while (rest !== 0n)
  return Buffer.from(bytes)
}

export const tagBytes = (number: number, type: WireField['type']): Buffer => varintBytes((BigInt(number) << 3n) | BigInt(type))

export const lengthDelimited = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([tagBytes(number, 2), varintBytes(BigInt(bytes.length)), bytes])
