import type { SubstitutionFormatString } from '@heddle/xds-types/envoy/config/core/v3'
import type { LocalReply } from '../http/message.js'
import { compileJsonFormat, compileTextFormat, type LogFormatter } from '../observe/log-format.js'
import type { CompileDeps } from './compiled.js'
import { compileDataSource } from './data-source.js'
import type { Fields } from './fields.js'

export interface BodyFormat extends Required<Pick<LocalReply, 'format' | 'headers'>> {
  /** Ends with a line feed that belongs to logs and bodies, not to a gRPC message. */
  readonly json: boolean
}

/** A SubstitutionFormatString as the body of a local reply, with the content type that goes with it. */
export function compileBodyFormat(
  fields: Fields<SubstitutionFormatString> | undefined,
  deps: CompileDeps,
): BodyFormat | undefined {
  if (fields === undefined) return undefined
  const options = { omitEmptyValues: fields.boolean('omit_empty_values') }
  const isJson = fields.has('json_format')
  const type = fields.string('content_type', isJson ? 'application/json' : 'text/plain')
  const formatter = isJson
    ? fields.take(compileJsonFormat(fields.raw('json_format'), `${fields.path}.json_format`, options))
    : compileText(fields, options, deps)
  fields.done()
  return formatter === undefined ? undefined : { format: formatter, headers: [['content-type', type]], json: isJson }
}

function compileText(
  fields: Fields<SubstitutionFormatString>,
  options: { omitEmptyValues: boolean },
  deps: CompileDeps,
): LogFormatter | undefined {
  const source = compileDataSource(fields.message('text_format_source'), deps)
  const text = source ?? fields.string('text_format')
  if (!fields.has('text_format_source') && !fields.has('text_format'))
    fields.problem('needs one of text_format_source, json_format.')
  return fields.take(compileTextFormat(text, `${fields.path}.text_format_source`, options))
}
