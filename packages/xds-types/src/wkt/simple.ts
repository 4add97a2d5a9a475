import { describe, noteJson } from '../context.js'
import { misfit } from '../misfit.js'
import type { WellKnownType } from '../types.js'
import type { Reader } from '../wire/reader.js'

/** Reads the fields of a small message; `field` says whether it took the value, else it is passed over. */
export function readFields(reader: Reader, field: (tag: number) => boolean): void {
  while (reader.at < reader.end) {
    const tag = reader.varint32()
    if (!field(tag)) reader.skip(tag & 7, tag >>> 3)
  }
}

export const Empty: WellKnownType = {
  typeName: 'google.protobuf.Empty',
  write() {},
  read(reader) {
    reader.at = reader.end
    return {}
  },
  fromJson(json, path, place) {
    if (typeof json === 'object' && json !== null && Object.keys(json).length === 0) return {}
    return noteJson(place, 'wrong_type', path, `expected an empty object, got ${describe(json)}`)
  },
  toJson: () => ({}),
}

/** `a.b,cD` in JSON, a list of `a.b` and `c_d` on the wire. */
export const FieldMask: WellKnownType = {
  typeName: 'google.protobuf.FieldMask',
  write(writer, value) {
    if (typeof value !== 'string') misfit(`expected paths joined by commas, got ${describe(value)}`)
    for (const path of value.split(',').reverse()) {
      if (path === '') continue
      writer.string(path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
      writer.tag(1, 2)
    }
  },
  read(reader) {
    const paths: string[] = []
    readFields(
      reader,
      (tag) => tag === 10 && paths.push(reader.string().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())) > 0,
    )
    return paths.join(',')
  },
  fromJson(json, path, place) {
    return typeof json === 'string'
      ? json
      : noteJson(place, 'wrong_type', path, `expected paths joined by commas, got ${describe(json)}`)
  },
  toJson: (value) => value,
}
