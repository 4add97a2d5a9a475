import { describe, expect, it } from 'vitest'
import { any, anyBytes, isType, packedAny, resolveTypedStruct, typeUrlOf, unpack } from './any.js'
import { TypedExtensionConfig } from './gen/envoy/config/core/v3.js'
import { Router } from './gen/envoy/extensions/filters/http/router/v3.js'
import { TypedStruct as OldTypedStruct } from './gen/udpa/type/v1.js'
import { TypedStruct } from './gen/xds/type/v3.js'
import { createTypeRegistry } from './registry.js'
import type { Any } from './shapes.js'

const registry = createTypeRegistry([Router, TypedStruct, OldTypedStruct])
const router = any(Router, { start_child_span: true })
const packed = packedAny(Router.typeUrl, Router.encode({ start_child_span: true }))

describe('an Any', () => {
  it('is told and opened in both forms', () => {
    for (const message of [router, packed]) {
      expect(typeUrlOf(message)).toBe(Router.typeUrl)
      expect(isType(message, Router)).toBe(true)
      expect(isType(message, TypedStruct)).toBe(false)
      expect(unpack(message, Router, registry)).toMatchObject({ ok: true, value: { start_child_span: true } })
      expect(anyBytes(message, registry)).toEqual(Router.encode({ start_child_span: true }))
    }
    expect(unpack(router, TypedStruct).ok).toBe(false)
    expect(typeUrlOf({})).toBeUndefined()
  })

  it('goes over the wire as a message when its type is known, as bytes when not', () => {
    const bytes = TypedExtensionConfig.encode({ name: 'router', typed_config: router }, registry)
    expect(TypedExtensionConfig.encode({ name: 'router', typed_config: packed })).toEqual(bytes)
    expect(TypedExtensionConfig.decode(bytes, registry)).toMatchObject({ value: { typed_config: router } })
    expect(TypedExtensionConfig.decode(bytes)).toMatchObject({ value: { typed_config: packed } })
  })

  it('holds well-known types under value', () => {
    const config: TypedExtensionConfig = {
      typed_config: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1.500s' },
    }
    const read = TypedExtensionConfig.decode(TypedExtensionConfig.encode(config))
    expect(read.ok && read.value).toEqual(config)
  })

  it('is printed as bytes or as a message, by what the registry knows', () => {
    const config = { typed_config: packed }
    expect(TypedExtensionConfig.toJson(config, { registry })).toEqual({ typed_config: router })
    expect(TypedExtensionConfig.toJson(config)).toEqual({ typed_config: { type_url: Router.typeUrl, value: 'EAE=' } })
    const read = TypedExtensionConfig.fromJson(TypedExtensionConfig.toJson(config))
    expect(read.ok && TypedExtensionConfig.encode(read.value)).toEqual(TypedExtensionConfig.encode(config))
  })
})

describe('a TypedStruct', () => {
  it.each([TypedStruct, OldTypedStruct])('stands for the message it names: $typeName', (type) => {
    const wrapped: Any = any(type, { type_url: Router.typeUrl, value: { startChildSpan: true } })
    expect(resolveTypedStruct(wrapped, registry)).toMatchObject({ ok: true, value: router })
    const bytes = TypedExtensionConfig.encode({ typed_config: wrapped }, registry)
    const read = TypedExtensionConfig.decode(bytes)
    expect(read.ok && resolveTypedStruct(read.value.typed_config as Any, registry)).toMatchObject({ ok: true, value: router })
  })

  it('with a field that the message does not have is refused with its path', () => {
    const wrapped = any(TypedStruct, { type_url: Router.typeUrl, value: { no_such: 1 } })
    expect(resolveTypedStruct(wrapped, registry)).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'xds.unknown_field', path: 'no_such' }],
    })
    expect(resolveTypedStruct(any(TypedStruct, { type_url: 'x/y', value: {} }), registry).ok).toBe(false)
  })

  it('is what it is when it is another message', () => {
    expect(resolveTypedStruct(router, registry)).toMatchObject({ value: router })
  })
})
