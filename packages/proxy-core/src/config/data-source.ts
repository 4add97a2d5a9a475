import { fromBase64 } from '@heddle/xds-types'
import type { DataSource } from '@heddle/xds-types/envoy/config/core/v3'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'

/** The text of a DataSource; undefined when there is none, or when it cannot be read, which is a problem. */
export function compileDataSource(
  fields: Fields<DataSource> | undefined,
  deps: Pick<CompileDeps, 'readFile'>,
): string | undefined {
  if (fields === undefined) return undefined
  const text = read(fields, deps)
  fields.done({ watched_directory: 'files are read once, when the resource is compiled' })
  return text
}

/** What a DataSource holds that is no text, which its text cannot tell. */
export function compileBinaryData(fields: Fields<DataSource> | undefined): Uint8Array | undefined {
  const bytes = fields?.has('inline_bytes') ? fromBase64(fields.string('inline_bytes')) : undefined
  if (bytes === undefined) return undefined
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return undefined
  } catch {
    return bytes
  }
}

function read(fields: Fields<DataSource>, deps: Pick<CompileDeps, 'readFile'>): string | undefined {
  if (fields.has('inline_string')) return fields.string('inline_string')
  if (fields.has('inline_bytes')) {
    const bytes = fromBase64(fields.string('inline_bytes'))
    if (bytes === undefined) fields.problem('must be base64.', 'inline_bytes')
    return bytes && new TextDecoder().decode(bytes)
  }
  if (!fields.has('filename')) return undefined
  const name = fields.string('filename')
  const text = deps.readFile?.(name)
  if (text === undefined) fields.problem(`cannot read ${JSON.stringify(name)}.`, 'filename')
  return text
}
