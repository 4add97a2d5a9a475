import { fail, ok, problem, type Result } from '@heddle/runtime'
import { typeNameOf } from './registry.js'
import type { Any } from './shapes.js'
import type { MessageType, TypeRegistry } from './types.js'
import { fromBase64 } from './wire/base64.js'

/** `any(Router, { start_child_span: true })`: a message with its type in front, the typed way to fill an Any field. */
export function any<T>(type: MessageType<T>, value: T): Any {
  return { '@type': type.typeUrl, ...value }
}

/** An Any whose bytes are already there; for types of your own or that nobody need look into. */
export function packedAny(typeUrl: string, value: Uint8Array): Any {
  return { type_url: typeUrl, value }
}

/** The type URL of either form; undefined for an empty Any. */
export function typeUrlOf(message: Any): string | undefined {
  const typeUrl = message['@type'] ?? message['type_url']
  return typeof typeUrl === 'string' && typeUrl !== '' ? typeUrl : undefined
}

export function isType(message: Any | undefined, type: MessageType<unknown>): boolean {
  const typeUrl = message === undefined ? undefined : typeUrlOf(message)
  return typeUrl !== undefined && typeNameOf(typeUrl) === type.typeName
}

/** The message inside an Any of a known type, whichever form it has. The type is not told from the URL: check with {@link isType} or take the failure. */
export function unpack<T>(message: Any, type: MessageType<T>, registry?: TypeRegistry): Result<T> {
  const typeUrl = typeUrlOf(message)
  if (typeUrl === undefined || typeNameOf(typeUrl) !== type.typeName)
    return fail(problem('xds.wrong_type', '', `expected ${type.typeUrl}, got ${typeUrl ?? 'an empty Any'}`))
  if (message['@type'] !== undefined) {
    const { '@type': _, ...value } = message
    return ok(value as T)
  }
  const bytes = anyBytes(message)
  return bytes === undefined ? fail(problem('xds.wrong_type', 'value', 'expected bytes or base64')) : type.decode(bytes, registry)
}

/** The wire bytes inside an Any: as they are when packed, encoded by the registry's type otherwise; undefined when neither is possible. */
export function anyBytes(message: Any, registry?: TypeRegistry): Uint8Array | undefined {
  const typeUrl = typeUrlOf(message)
  if (typeUrl === undefined) return undefined
  if (message['@type'] !== undefined) return registry?.find(typeUrl)?.encode(message, registry)
  const value = message['value'] ?? ''
  return value instanceof Uint8Array ? value : typeof value === 'string' ? fromBase64(value) : undefined
}

const TYPED_STRUCTS = new Set(['xds.type.v3.TypedStruct', 'udpa.type.v1.TypedStruct'])

/**
 * Envoy takes a TypedStruct wherever it takes an extension's own message: JSON fields with a type URL beside them. This gives
 * the message it stands for, `{ '@type', …fields }`; any other Any comes back as it is.
 * @returns a failure when the registry lacks the type or the fields are not the type's.
 */
export function resolveTypedStruct(message: Any, registry: TypeRegistry): Result<Any> {
  const typeUrl = typeUrlOf(message)
  if (typeUrl === undefined || !TYPED_STRUCTS.has(typeNameOf(typeUrl))) return ok(message)
  const wrapper = registry.find(typeUrl)
  const opened =
    wrapper === undefined
      ? fail<unknown>(problem('xds.unknown_type', '', `the registry has no type ${typeUrl}`))
      : unpack(message, wrapper, registry)
  if (!opened.ok) return opened
  const { type_url: inner = '', value = {} } = opened.value as { type_url?: string; value?: object }
  const type = registry.find(inner)
  if (type === undefined) return fail(problem('xds.unknown_type', 'type_url', `the registry has no type '${inner}'`))
  const read = type.fromJson(value, registry)
  return read.ok ? ok({ '@type': inner, ...(read.value as object) }) : read
}
