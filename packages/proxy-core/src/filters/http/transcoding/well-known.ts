import type { MessageDescriptor } from './descriptors.js'
import { lengthDelimited, readWire, tagBytes, varintBytes, type WireField } from './wire.js'

/** Types whose JSON is not that of their fields (protobuf: JSON mapping). */

const WRAPPER = /^google\.protobuf\.(?:Double|Float|U?Int(?:32|64)|Bool|String|Bytes)Value$/

type Inner = (bytes: Uint8Array, typeName: string) => unknown

/** Undefined: an ordinary message. */
export function wellKnownToJson(
  { name, fields }: MessageDescriptor,
  wire: readonly WireField[],
  inner: Inner,
): { readonly value: unknown } | undefined {
  const at = (number: number): WireField | undefined => wire.findLast((field) => field.number === number)
  switch (name) {
    case 'google.protobuf.Timestamp':
      return { value: timestampText(at(1)?.value ?? 0n, Number(at(2)?.value ?? 0n)) }
    case 'google.protobuf.Duration':
      return { value: durationText(BigInt.asIntN(64, at(1)?.value ?? 0n), Number(BigInt.asIntN(32, at(2)?.value ?? 0n))) }
    case 'google.protobuf.FieldMask':
      return { value: wire.map(({ bytes }) => camel(bytes.toString('utf8'))).join(',') }
    case 'google.protobuf.Struct':
      return { value: structValue(wire) }
    case 'google.protobuf.ListValue':
      return { value: listValue(wire) }
    case 'google.protobuf.Value':
      return { value: anyValue(wire) }
    case 'google.protobuf.Any': {
      const url = at(1)?.bytes.toString('utf8') ?? ''
      const value = inner(at(2)?.bytes ?? Buffer.alloc(0), url.slice(url.lastIndexOf('/') + 1))
      const plain = typeof value === 'object' && value !== null && !Array.isArray(value)
      return { value: plain ? { '@type': url, ...value } : { '@type': url, value } }
    }
  }
  if (!WRAPPER.test(name) || fields[0] === undefined) return undefined
  return { value: scalarOf(fields[0].type, at(1)) }
}

function scalarOf(type: number, field: WireField | undefined): unknown {
  if (type === 9) return field?.bytes.toString('utf8') ?? ''
  if (type === 12) return field?.bytes.toString('base64') ?? ''
  if (type === 8) return (field?.value ?? 0n) !== 0n
  if (type === 1) return field?.bytes.readDoubleLE(0) ?? 0
  if (type === 2) return field?.bytes.readFloatLE(0) ?? 0
  const value = field?.value ?? 0n
  if (type === 3) return BigInt.asIntN(64, value).toString()
  if (type === 4) return value.toString()
  return Number(BigInt.asIntN(type === 13 ? 64 : 32, value))
}

function structValue(wire: readonly WireField[]): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null)
  for (const { bytes } of wire) {
    const entry = readWire(bytes) ?? []
    const key = entry.find(({ number }) => number === 1)?.bytes.toString('utf8') ?? ''
    out[key] = anyValue(readWire(entry.find(({ number }) => number === 2)?.bytes ?? Buffer.alloc(0)) ?? [])
  }
  return out
}

const listValue = (wire: readonly WireField[]): unknown[] => wire.map(({ bytes }) => anyValue(readWire(bytes) ?? []))

function anyValue(wire: readonly WireField[]): unknown {
  const field = wire.at(-1)
  switch (field?.number) {
    case 2:
      return field.bytes.readDoubleLE(0)
    case 3:
      return field.bytes.toString('utf8')
    case 4:
      return field.value !== 0n
    case 5:
      return structValue(readWire(field.bytes) ?? [])
    case 6:
      return listValue(readWire(field.bytes) ?? [])
    default:
      return null
  }
}

function timestampText(seconds: bigint, nanos: number): string {
  const date = new Date(Number(BigInt.asIntN(64, seconds)) * 1000).toISOString().slice(0, 19)
  return `${date}${fraction(nanos)}Z`
}

function durationText(seconds: bigint, nanos: number): string {
  const sign = seconds < 0n || nanos < 0 ? '-' : ''
  return `${sign}${seconds < 0n ? -seconds : seconds}${fraction(Math.abs(nanos))}s`
}

/** None, or 3, 6 or 9 digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return ''
  const digits = String(nanos).padStart(9, '0')
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`
}

const camel = (path: string): string => path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** The bytes of such a type from its JSON. `wrapped` makes the one field of a wrapper. Undefined: an ordinary message; `null`: no such value. */
export function wellKnownFromJson(
  { name }: MessageDescriptor,
  json: unknown,
  wrapped: (json: unknown) => Buffer,
): Buffer | null | undefined {
  switch (name) {
    case 'google.protobuf.Timestamp':
      return timestampBytes(json)
    case 'google.protobuf.Duration':
      return durationBytes(json)
    case 'google.protobuf.FieldMask':
      return typeof json === 'string'
        ? Buffer.concat(json.split(',').map((path) => lengthDelimited(1, Buffer.from(snake(path)))))
        : null
    case 'google.protobuf.Struct':
      return typeof json === 'object' && json !== null && !Array.isArray(json)
        ? structBytes(json as Record<string, unknown>)
        : null
    case 'google.protobuf.ListValue':
      return Array.isArray(json) ? listBytes(json) : null
    case 'google.protobuf.Value':
      return valueBytes(json)
  }
  return WRAPPER.test(name) ? wrapped(json) : undefined
}

function timestampBytes(json: unknown): Buffer | null {
  const parts = typeof json === 'string' ? /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(json) : null
  if (parts === null) return null
  return secondsAndNanos(BigInt(Date.parse(`${parts[1]}${parts[3]}`) / 1000), nanosOf(parts[2]))
}

function durationBytes(json: unknown): Buffer | null {
  const parts = typeof json === 'string' ? /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(json) : null
  if (parts === null) return null
  const sign = parts[1] === '-' ? -1 : 1
  return secondsAndNanos(BigInt(sign) * BigInt(parts[2]!), sign * nanosOf(parts[3]))
}

const nanosOf = (digits = ''): number => Number(digits.padEnd(9, '0'))

function secondsAndNanos(seconds: bigint, nanos: number): Buffer {
  return Buffer.concat([
    ...(seconds === 0n ? [] : [tagBytes(1, 0), varintBytes(seconds)]),
    ...(nanos === 0 ? [] : [tagBytes(2, 0), varintBytes(BigInt(nanos))]),
  ])
}

const snake = (path: string): string => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function structBytes(json: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.concat(
    Object.entries(json).map(([key, value]) =>
      lengthDelimited(1, Buffer.concat([lengthDelimited(1, Buffer.from(key)), lengthDelimited(2, valueBytes(value))])),
    ),
  )
}

const listBytes = (json: readonly unknown[]): Buffer => Buffer.concat(json.map((each) => lengthDelimited(1, valueBytes(each))))

function valueBytes(json: unknown): Buffer {
  if (typeof json === 'number') {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(json)
    return Buffer.concat([tagBytes(2, 1), bytes])
  }
  if (typeof json === 'string') return lengthDelimited(3, Buffer.from(json))
  if (typeof json === 'boolean') return Buffer.concat([tagBytes(4, 0), varintBytes(json ? 1n : 0n)])
  if (Array.isArray(json)) return lengthDelimited(6, listBytes(json))
  if (typeof json === 'object' && json !== null) return lengthDelimited(5, structBytes(json as Record<string, unknown>))
  return Buffer.concat([tagBytes(1, 0), varintBytes(0n)])
}
