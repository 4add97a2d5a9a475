import type { Metadata } from '@heddle/xds-types/envoy/config/core/v3'
import type { Fields } from './fields.js'

export type FilterMetadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const EMPTY: FilterMetadata = Object.freeze({})

/** filter_metadata of the `metadata` of a message; undefined when it has none. */
export function metadataOf<M extends { metadata?: Metadata }>(fields: Fields<M>): FilterMetadata | undefined {
  return fields.has('metadata') ? compileMetadata(fields.message('metadata') as Fields<Metadata> | undefined) : undefined
}

/** filter_metadata of a Metadata message. */
export function compileMetadata(fields: Fields<Metadata> | undefined): FilterMetadata {
  if (fields === undefined) return EMPTY
  const metadata = fields.raw('filter_metadata')
  fields.done({ typed_filter_metadata: 'no filter here reads it' })
  return typeof metadata === 'object' && metadata !== null ? (metadata as FilterMetadata) : EMPTY
}
