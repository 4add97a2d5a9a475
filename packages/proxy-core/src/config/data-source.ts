import type { Result } from '@heddle/runtime'
import { fromBase64 } from '@heddle/xds-types'
import type { DataSource } from '@heddle/xds-types/envoy/config/core/v3'
import { compileMessage, type Fields } from './fields.js'

/** Reads a file named in a data source as text; undefined when there is none. */
export type ReadFile = (path: string) => string | undefined

/** What a DataSource may point at outside of the configuration. What is not given is refused as if nothing were there. */
export interface DataSourceReads {
  readonly readFile?: ReadFile | undefined
  /** Variables by name. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
}

const SPECIFIERS = ['filename', 'inline_bytes', 'inline_string', 'environment_variable'] as const

/** The text of a DataSource; undefined when there is none, or when it cannot be read, which is a problem. */
export function compileDataSource(fields: Fields<DataSource> | undefined, reads: DataSourceReads): string | undefined {
  if (fields === undefined) return undefined
  const text = read(fields, reads)
  fields.done({ watched_directory: 'files are read once, when the resource is compiled' })
  return text
}

/** The same of a message that nobody reads by its fields. Without a source it is refused. */
export function readDataSource(source: DataSource, path: string, reads: DataSourceReads): Result<string> {
  const compiled = compileMessage<DataSource, string | undefined>(source, path, (fields) => {
    if (!SPECIFIERS.some((name) => fields.has(name))) fields.problem(`needs one of ${SPECIFIERS.join(', ')}.`)
    return compileDataSource(fields, reads)
  })
  return compiled as Result<string>
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

function read(fields: Fields<DataSource>, { readFile, environment = {} }: DataSourceReads): string | undefined {
  if (fields.has('inline_string')) return fields.string('inline_string')
  if (fields.has('inline_bytes')) {
    const bytes = fromBase64(fields.string('inline_bytes'))
    if (bytes === undefined) fields.problem('must be base64.', 'inline_bytes')
    return bytes && new TextDecoder().decode(bytes)
  }
  if (fields.has('environment_variable')) {
    const name = fields.string('environment_variable')
    const text = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (text === undefined) fields.problem(`the environment has no variable ${JSON.stringify(name)}.`, 'environment_variable')
    return text
  }
  if (!fields.has('filename')) return undefined
  const name = fields.string('filename')
  const text = readFile?.(name)
  if (text === undefined) fields.problem(`cannot read ${JSON.stringify(name)}.`, 'filename')
  return text
}
