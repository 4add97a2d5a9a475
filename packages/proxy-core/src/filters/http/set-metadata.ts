import type { Config, Metadata } from '@heddle/xds-types/envoy/extensions/filters/http/set_metadata/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { HttpFilterFactory } from '../../http/filter.js'

type Struct = Readonly<Record<string, unknown>>

interface Entry {
  readonly namespace: string
  readonly value: Struct
  readonly allowOverwrite: boolean
}

/** envoy.filters.http.set_metadata: dynamic metadata from the configuration, for matchers, formatters and logs. */
export const setMetadataFilter: HttpFilterFactory<readonly Entry[]> = {
  typeNames: ['envoy.extensions.filters.http.set_metadata.v3.Config'],
  decode: (config, path) =>
    compileMessage(config as Config, path, (fields) => {
      const namespace = fields.string('metadata_namespace')
      const older = fields.raw('value')
      const entries = fields.messages('metadata').map(compileEntry)
      fields.done()
      const first = namespace === '' || !isStruct(older) ? [] : [{ namespace, value: older, allowOverwrite: true }]
      return [...first, ...entries]
    }),
  create: (entries) => () => ({
    onRequest(_request, { info: { metadata } }) {
      for (const { namespace, value, allowOverwrite } of entries) {
        const present = metadata.get(namespace)
        if (present === undefined) metadata.set(namespace, merge({}, value))
        else if (allowOverwrite) metadata.set(namespace, merge(present, value))
      }
    },
  }),
}

function compileEntry(fields: Fields<Metadata>): Entry {
  const value = fields.raw('value')
  const entry = {
    namespace: fields.string('metadata_namespace'),
    value: isStruct(value) ? value : {},
    allowOverwrite: fields.boolean('allow_overwrite'),
  }
  if (entry.namespace === '') fields.problem('is required.', 'metadata_namespace')
  fields.done()
  return entry
}

/** Envoy's StructUtil::update: objects are merged, lists get longer, everything else is replaced. */
function merge(into: Struct, from: Struct): Record<string, unknown> {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), into)
  for (const [key, value] of Object.entries(from)) {
    const present = merged[key]
    if (isStruct(present) && isStruct(value)) merged[key] = merge(present, value)
    else if (Array.isArray(present) && Array.isArray(value)) merged[key] = [...present, ...value]
    else merged[key] = value
  }
  return merged
}

function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
