import type { Random } from '@heddle/runtime'
import type { Field, MessageType } from '../src/types.js'

/** Ways to spoil what was valid, and to make up what never was. */
export interface Mutations {
  bytes(valid: Uint8Array): Uint8Array
  json(valid: unknown): unknown
  /** Bytes that begin like a message of the type: tags of its fields, then anything. */
  madeUpBytes(type: MessageType<unknown>): Uint8Array
  /** JSON with names of the type's fields, then anything. */
  madeUpJson(type: MessageType<unknown>): unknown
}

const NASTY_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', '@type', 'type_url', '', 'a'.repeat(300)]

export function createMutations(random: Random): Mutations {
  const below = (count: number): number => Math.floor(random.next() * count)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T

  const nasty = (depth = 0): unknown =>
    pick<() => unknown>([
      () => null,
      () => -1,
      () => Number.POSITIVE_INFINITY,
      () => Number.NaN,
      () => 2 ** 53,
      () => 10n ** 30n,
      () => '',
      () => 'x'.repeat(1000),
      () => '\ud800',
      () => '99999999999999999999999999s',
      () => '2026-13-45T99:99:99Z',
      () => '=A==',
      () => new Uint8Array([255, 255, 255, 255, 15]),
      () => Symbol('s'),
      () => () => 0,
      () => new Date(0),
      () => new Map([['a', 1]]),
      () => Object.create(null),
      () => JSON.parse('{"__proto__":{"polluted":true}}'),
      () => ({ '@type': pick(['x/y', 'type.googleapis.com/envoy.config.cluster.v3.Cluster', '__proto__', 5]), value: [] }),
      () => ({ type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster', value: pick([5, '====', 'CgFh', {}]) }),
      () => (depth < 3 ? [nasty(depth + 1), nasty(depth + 1)] : []),
      () => (depth < 3 ? { [pick(NASTY_NAMES)]: nasty(depth + 1) } : {}),
      () => nested(150),
    ])()
  const nested = (depth: number): unknown => {
    let value: unknown = 1
    for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
    return value
  }

  const json = (value: unknown): unknown => {
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
    if (keys.length === 0 || random.next() < 0.15) return nasty()
    const key = pick(keys)
    if (Array.isArray(value)) return value.map((item, i) => (String(i) === key ? json(item) : item))
    const [name, item] = [random.next() < 0.1 ? pick(NASTY_NAMES) : key, (value as Record<string, unknown>)[key]]
    const copy: Record<string, unknown> = { ...(value as object) }
    if (name !== key) delete copy[key]
    Object.defineProperty(copy, name, { value: json(item), enumerable: true, configurable: true, writable: true })
    return copy
  }
  const bytes = (valid: Uint8Array): Uint8Array => {
    const copy = valid.slice(0, random.next() < 0.2 ? below(valid.length + 1) : undefined)
    for (let left = 1 + below(3); left > 0 && copy.length > 0; left--)
      copy[below(copy.length)] = pick([0, 1, 0x7f, 0x80, 0xff, below(256), below(256), below(256)])
    if (random.next() < 0.7) return copy
    const at = below(copy.length + 1)
    return Uint8Array.from([...copy.subarray(0, at), ...noise(1 + below(12)), ...copy.subarray(pick([at, below(at + 1)]))])
  }
  const noise = (length: number): number[] => Array.from({ length }, () => below(256))

  return {
    bytes,
    json,
    madeUpBytes(type) {
      const fields = type.table.fields
      const all: number[] = []
      for (let left = below(6); left >= 0; left--) {
        const id = fields.length === 0 || random.next() < 0.1 ? below(2 ** 20) : (pick(fields) as Field).id
        const wireType = pick([0, 1, 2, 2, 2, 5, below(8)])
        all.push(...varint(id * 8 + wireType))
        const length = below(10)
        all.push(...(wireType === 2 ? varint(pick([length, length, length, 2 ** 31, below(200)])) : []), ...noise(length))
      }
      return Uint8Array.from(all)
    },
    madeUpJson(type) {
      const value: Record<string, unknown> = {}
      for (let left = below(4); left >= 0 && type.table.fields.length > 0; left--) value[pick(type.table.fields).name] = nasty()
      return random.next() < 0.1 ? nasty() : value
    },
  }
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}
