import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import { createPlace, EncodeError, MAX_BYTES } from './context.js'
import { readMessage } from './decode.js'
import { writeRoot } from './encode.js'
import { readJson } from './from-json.js'
import { isKeeping } from './kept-bytes.js'
import { Misfit } from './misfit.js'
import { validateMessage } from './rules/validate.js'
import { printJson } from './to-json.js'
import type { JsonOptions, JsonPlace, MessageType, Table, TypeRegistry } from './types.js'
import { createReader } from './wire/reader.js'
import { createWriter } from './wire/writer.js'

/** Kept between calls: a buffer that has grown once serves all. `encode` never runs inside `encode`. */
const writer = /*#__PURE__*/ createWriter()

export function createCodec<T>(typeName: string, createTable: () => Table): MessageType<T> {
  let table: Table | undefined
  const type: MessageType<T> = {
    typeName,
    typeUrl: `type.googleapis.com/${typeName}`,
    get table(): Table {
      table ??= createTable()
      return table
    },
    encode(value: T, registry?: TypeRegistry): Uint8Array {
      const place = createPlace(registry, isKeeping())
      try {
        writeRoot(writer, type as MessageType<unknown>, value, place)
      } catch (error) {
        writer.finish()
        throw error instanceof Misfit ? new EncodeError(error.path, error.message) : error
      }
      return writer.finish(place.keeping)
    },
    decode(bytes: Uint8Array, registry?: TypeRegistry): Result<T> {
      return decodeMessage<T>(type as MessageType<unknown>, bytes, registry)
    },
    fromJson(json: unknown, registry?: TypeRegistry): Result<T> {
      const place: JsonPlace = { registry, diagnostics: [], depth: 0, values: 0 }
      const value = readJson(type as MessageType<unknown>, json, '', place)
      return place.diagnostics.length === 0 ? ok(value as T) : fail(...place.diagnostics)
    },
    toJson(value: T, options: JsonOptions = {}): unknown {
      return printJson(type as MessageType<unknown>, value, options)
    },
    validate(value: T, registry?: TypeRegistry): readonly Diagnostic[] {
      return validateMessage(type as MessageType<unknown>, value, registry)
    },
  }
  return type
}

function decodeMessage<T>(type: MessageType<unknown>, bytes: Uint8Array, registry: TypeRegistry | undefined): Result<T> {
  if (bytes.length > MAX_BYTES)
    return fail(problem('xds.too_large', '', `${type.typeName} of ${bytes.length} bytes; the limit is ${MAX_BYTES}`))
  try {
    return ok(readMessage(createReader(bytes), type, createPlace(registry)) as T)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    return fail(problem('xds.malformed', error.path, `not a ${type.typeName}: ${error.message}`))
  }
}
