import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { any } from '../src/any.js'
import { EncodeError, MAX_DEPTH } from '../src/context.js'
import { Cluster } from '../src/gen/envoy/config/cluster/v3.js'
import { Metadata, Node, TypedExtensionConfig } from '../src/gen/envoy/config/core/v3.js'
import { knownTypes } from '../src/known.js'
import { createTypeRegistry } from '../src/registry.js'

// What protobufjs had to repair, tried on this codec; a name for each advisory.
const SOURCES = path.join(import.meta.dirname, '../src')
const registry = createTypeRegistry([TypedExtensionConfig, Cluster])
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const parsed = (text: string): unknown => JSON.parse(text) as unknown

/** Fields 2 (an Any or a Struct's like) around one another. */
function nested(depth: number, tag: number): Uint8Array {
  const bytes: number[] = []
  let length = 0
  for (let i = 0; i < depth; i++) {
    const header = [tag, ...(length < 128 ? [length] : length < 16384 ? [(length & 127) | 128, length >> 7] : [255, 255, 1])]
    bytes.unshift(...header)
    length = bytes.length
  }
  return Uint8Array.from(bytes)
}

function milliseconds(run: () => unknown): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

describe('advisories against protobufjs do not hold here', () => {
  afterEach(() => {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('CVE-2018-3738: no text that is read by a pattern takes more than linear time', () => {
    const long = 200_000
    for (const text of [
      '1'.repeat(long),
      `${' '.repeat(long)}x`,
      '/'.repeat(long),
      `1.${'0'.repeat(long)}s`,
      'a_'.repeat(long),
      '='.repeat(long),
    ]) {
      const all = {
        name: text,
        connect_timeout: text,
        type: text,
        per_connection_buffer_limit_bytes: text,
        [text]: 1,
        metadata: { filter_metadata: text },
        transport_socket: { typed_config: { type_url: 'a', value: text } },
      }
      expect(milliseconds(() => Cluster.fromJson(all, registry))).toBeLessThan(1000)
      expect(milliseconds(() => Cluster.validate({ name: text, alt_stat_name: text }))).toBeLessThan(1000)
    }
  })

  it('CVE-2022-25878: a path of names sets nothing outside of the message', () => {
    for (const key of ['__proto__.polluted', 'constructor.prototype.polluted', '__proto__', 'constructor'])
      expect(Cluster.fromJson({ [key]: { polluted: 1 } }, registry).ok).toBe(key === '')
    const json = parsed('{"filter_metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}')
    expect(Metadata.fromJson(json).ok).toBe(true)
  })

  it('CVE-2023-36665: a map with the key __proto__ has it as a key, over the wire and back', () => {
    const read = Metadata.fromJson(parsed('{"filter_metadata":{"__proto__":{"polluted":true}}}'))
    if (!read.ok) throw new Error('fromJson')
    const decoded = Metadata.decode(Metadata.encode(read.value))
    if (!decoded.ok) throw new Error('decode')
    const map = decoded.value.filter_metadata ?? {}
    expect(Object.keys(map)).toEqual(['__proto__'])
    expect(['toString' in map, 'constructor' in map]).toEqual([false, false])
  })

  it('CVE-2026-41242: a type URL is looked up, never run; nothing here makes code from text', () => {
    const typeUrl = 'a/(()=>{globalThis.polluted=1})()'
    expect(TypedExtensionConfig.fromJson({ typed_config: { '@type': typeUrl } }, registry)).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'xds.unknown_type' }],
    })
    expect(() => TypedExtensionConfig.encode({ typed_config: { '@type': typeUrl } }, registry)).toThrow(EncodeError)
    for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue
      expect(readFileSync(path.join(SOURCES, file), 'utf8'), file).not.toMatch(/\bnew Function\b|[^.\w]Function\(|\beval\(/)
    }
  })

  it('CVE-2026-44288: overlong and surrogate UTF-8, and what is beyond Unicode, is refused', () => {
    for (const text of ['c080', 'c0af', 'e080af', 'f08080af', 'eda080', 'f4908080', 'ff'])
      expect(Node.decode(hex(`0a ${(text.length / 2).toString(16).padStart(2, '0')} ${text}`)), text).toMatchObject({
        ok: false,
        diagnostics: [{ code: 'xds.malformed', path: 'id' }],
      })
  })

  it('CVE-2026-44289: messages, groups and JSON nested without end are refused, not followed', () => {
    // A Struct in a Value in a Struct …; and a message that holds itself.
    expect(Metadata.decode(nested(5000, 0x0a)).ok).toBe(false)
    const groups = Node.decode(hex('a306'.repeat(100_000)))
    expect(groups).toMatchObject({ ok: false })
    let json: unknown = { '@type': TypedExtensionConfig.typeUrl }
    for (let i = 0; i < 100_000; i++) json = { '@type': TypedExtensionConfig.typeUrl, typed_config: json }
    expect(TypedExtensionConfig.fromJson(json, registry).ok).toBe(false)
    expect(() => TypedExtensionConfig.encode(json as object, registry)).toThrow(`deeper than ${MAX_DEPTH}`)
    expect(() => TypedExtensionConfig.validate(json as object, registry)).not.toThrow()
  })

  it('CVE-2026-44290: options cannot be set by what is read: tables are made from constants alone', () => {
    const before = JSON.stringify(Cluster.table.fields.map(({ name, rules }) => [name, rules]))
    Cluster.fromJson({ table: { fields: [] }, rules: 1, options: { a: 1 }, typeName: 'x' }, registry)
    expect(JSON.stringify(Cluster.table.fields.map(({ name, rules }) => [name, rules]))).toBe(before)
  })

  it('CVE-2026-44291: a prototype that others have polluted changes neither bytes nor JSON', () => {
    const cluster = { name: 'a', type: 'EDS' } as const
    const [bytes, json] = [Cluster.encode(cluster), Cluster.toJson(cluster)]
    const names = ['alt_stat_name', 'lb_policy', 'metadata', 'value', 'type_url', 'connect_timeout', 'string']
    const prototype = Object.prototype as Record<string, unknown>
    let polluted: unknown[] = []
    try {
      for (const name of names) prototype[name] = 'polluted'
      polluted = [Cluster.encode(cluster), Cluster.toJson(cluster), Cluster.decode(bytes), Cluster.fromJson(json)]
    } finally {
      for (const name of names) delete prototype[name]
    }
    expect(polluted).toEqual([bytes, json, Cluster.decode(bytes), Cluster.fromJson(json)])
  })

  it('CVE-2026-44292: __proto__ as a field of a message is an unknown field, not its prototype', () => {
    const value = parsed('{"name":"a","__proto__":{"isAdmin":true}}') as object
    expect(Cluster.fromJson(value)).toMatchObject({ ok: false, diagnostics: [{ code: 'xds.unknown_field', path: '__proto__' }] })
    expect(() => Cluster.encode(value)).toThrow("no field '__proto__'")
    const inner = any(Cluster, value) as { isAdmin?: boolean }
    expect(inner.isAdmin).toBeUndefined()
  })

  it('CVE-2026-44293: bytes are data, whatever they spell', () => {
    const read = TypedExtensionConfig.fromJson({ typed_config: { type_url: 'a', value: '*/alert(1)' } })
    expect(read.ok).toBe(false)
  })

  it('CVE-2026-44294: no field is called like a member of every object', () => {
    for (const type of knownTypes.types)
      for (const { name, jsonName } of type.table.fields) {
        expect(name in {}, `${type.typeName}.${name}`).toBe(false)
        expect(jsonName in {}, `${type.typeName}.${jsonName}`).toBe(false)
      }
  })

  it('CVE-2026-48712: Any in Any in Any is opened to a depth of 100 and no further', () => {
    let bytes = new Uint8Array(0)
    for (let i = 0; i < 300; i++) bytes = wrap(bytes)
    const decoded = TypedExtensionConfig.decode(bytes, registry)
    expect(decoded).toMatchObject({ ok: false, diagnostics: [{ message: expect.stringContaining(`deeper than ${MAX_DEPTH}`) }] })
    // What stays packed is not opened when printed without a registry, and is bounded with one.
    const packed = { typed_config: { type_url: TypedExtensionConfig.typeUrl, value: bytes } }
    expect(() => TypedExtensionConfig.toJson(packed, { registry })).not.toThrow()
  })

  it('CVE-2026-59877 and GHSA-wcpc-wj8m-hjx6: there is no parser of .proto text, and what is cut off ends', () => {
    const bytes = Cluster.encode({ name: 'a', metadata: { filter_metadata: { a: { b: [1, 'x', { c: null }] } } } })
    for (let end = 0; end < bytes.length; end++)
      expect(milliseconds(() => Cluster.decode(bytes.subarray(0, end)))).toBeLessThan(500)
  })
})

function wrap(inner: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = { type_url: TypedExtensionConfig.typeUrl, value: inner }
  return Uint8Array.from(TypedExtensionConfig.encode({ typed_config: packed }))
}
