import { enumeration, message } from './describe.js'
import type { EnumType, MessageType, OneofRow } from './types.js'
import * as wkt from './wkt/index.js'

/** By name: rows count them from 1, and the catalog's own after them. */
const WELL_KNOWN_TYPES = [
  wkt.Any,
  wkt.BoolValue,
  wkt.BytesValue,
  wkt.DoubleValue,
  wkt.Duration,
  wkt.Empty,
  wkt.FieldMask,
  wkt.FloatValue,
  wkt.Int32Value,
  wkt.Int64Value,
  wkt.ListValue,
  wkt.NullValue,
  wkt.StringValue,
  wkt.Struct,
  wkt.Timestamp,
  wkt.UInt32Value,
  wkt.UInt64Value,
  wkt.Value,
]

/**
 * Types from a text, a line each: `@package`; `=Enum NAME number …`; `Message;rows|oneof required id …`, with rows as {@link message} takes
 * them. Only names are read at once.
 */
export function catalog(text: string, rules: readonly unknown[]): readonly (MessageType<unknown> | EnumType<string>)[] {
  const types: (MessageType<unknown> | EnumType<string>)[] = []
  let all: readonly unknown[] | undefined
  const everything = (): readonly unknown[] => {
    all ??= [...WELL_KNOWN_TYPES, ...types]
    return all
  }
  let prefix = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('@')) prefix = line === '@' ? '' : `${line.slice(1)}.`
    else if (line.startsWith('=')) types.push(readEnum(prefix, line.slice(1)))
    else types.push(readMessage(prefix, line, everything, rules))
  }
  return types
}

function readEnum(prefix: string, line: string): EnumType<string> {
  const [name, ...words] = line.split(' ')
  const values: Record<string, number> = {}
  for (let i = 0; i < words.length; i += 2) values[words[i] as string] = Number(words[i + 1])
  return enumeration(prefix + name, values)
}

function readMessage(
  prefix: string,
  line: string,
  types: () => readonly unknown[],
  rules: readonly unknown[],
): MessageType<unknown> {
  const end = line.indexOf(';')
  const [rows = '', ...oneofs] = line.slice(end + 1).split('|')
  return message(prefix + line.slice(0, end), rows, types, oneofs.map(readOneof), rules)
}

function readOneof(text: string): OneofRow {
  const [name, required, ...ids] = text.split(' ')
  return [name as string, ids.map(Number), Number(required)]
}
