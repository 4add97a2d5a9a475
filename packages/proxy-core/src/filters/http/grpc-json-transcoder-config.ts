import { fromBase64 } from '@heddle/xds-types'
import type { GrpcJsonTranscoder } from '@heddle/xds-types/envoy/extensions/filters/http/grpc_json_transcoder/v3'
import type { CompileDeps } from '../../config/compiled.js'
import type { Fields } from '../../config/fields.js'
import { type Descriptors, readDescriptors } from './transcoding/descriptors.js'
import { type MatchOptions, type Route, routesOf } from './transcoding/methods.js'
import type { PrintOptions } from './transcoding/to-json.js'

export interface TranscoderConfig {
  readonly types: Descriptors
  readonly routes: readonly Route[]
  readonly print: PrintOptions & { readonly whitespace: boolean; readonly stream: 'array' | 'newline' | 'sse' }
  readonly match: MatchOptions
  readonly keepsRoute: boolean
  readonly ignoreUnknownQuery: boolean
  readonly rejectUnknownMethod: boolean
  readonly rejectUnknownQuery: boolean
  readonly convertStatus: boolean
  readonly caseInsensitiveEnums: boolean
  readonly maxRequestBytes: number
  readonly maxResponseBytes: number
}

const MAX_BYTES = 1024 * 1024
const NO_TYPES: Descriptors = { message: () => undefined, enumOf: () => undefined, service: () => undefined }

/** `services` may be empty: the filter then does nothing. */
export function compileTranscoder(fields: Fields<GrpcJsonTranscoder>, deps: CompileDeps | undefined): TranscoderConfig {
  const types = compileTypes(fields, deps) ?? NO_TYPES
  const services = fields.strings('services')
  const found = types === NO_TYPES ? [] : routesOf(services, types, fields.boolean('auto_mapping'))
  for (const each of found) if (typeof each === 'string') fields.problem(`${each}.`, 'services')
  const print = fields.message('print_options')
  const validation = fields.message('request_validation_options')
  fields.choice('url_unescape_spec', ['ALL_CHARACTERS_EXCEPT_RESERVED'], 'ALL_CHARACTERS_EXCEPT_RESERVED')
  const config: TranscoderConfig = {
    types,
    routes: found.filter((each) => typeof each !== 'string').sort(byWildcards),
    print: {
      whitespace: print?.boolean('add_whitespace') ?? false,
      alwaysPrint: print?.boolean('always_print_primitive_fields') ?? false,
      enumsAsInts: print?.boolean('always_print_enums_as_ints') ?? false,
      preserveNames: print?.boolean('preserve_proto_field_names') ?? false,
      stream: print?.boolean('stream_newline_delimited')
        ? 'newline'
        : print?.boolean('stream_sse_style_delimited')
          ? 'sse'
          : 'array',
    },
    match: {
      ignoredQuery: new Set(fields.strings('ignored_query_parameters')),
      unescapePlus: fields.boolean('query_param_unescape_plus'),
    },
    keepsRoute: fields.boolean('match_incoming_request_route'),
    ignoreUnknownQuery: fields.boolean('ignore_unknown_query_parameters'),
    rejectUnknownMethod: validation?.boolean('reject_unknown_method') ?? false,
    rejectUnknownQuery: validation?.boolean('reject_unknown_query_parameters') ?? false,
    convertStatus: fields.boolean('convert_grpc_status'),
    caseInsensitiveEnums: fields.boolean('case_insensitive_enum_parsing'),
    maxRequestBytes: fields.number('max_request_body_size', MAX_BYTES),
    maxResponseBytes: fields.number('max_response_body_size', MAX_BYTES),
  }
  print?.done()
  validation?.done({ reject_binding_body_field_collisions: 'what path and query say counts' })
  fields.done({ match_unregistered_custom_verb: 'a verb belongs to its template' })
  return config
}

/** Literal paths before those with wildcards. */
function byWildcards(a: Route, b: Route): number {
  return a.wildcards - b.wildcards
}

function compileTypes(fields: Fields<GrpcJsonTranscoder>, deps: CompileDeps | undefined): Descriptors | undefined {
  const inline = fields.raw('proto_descriptor_bin')
  const file = fields.string('proto_descriptor')
  if (inline === undefined && file === '') {
    fields.problem('needs one of proto_descriptor, proto_descriptor_bin.')
    return undefined
  }
  const bytes = inline === undefined ? readBytes(file, deps) : inline instanceof Uint8Array ? inline : fromBase64(String(inline))
  const types = bytes === undefined ? undefined : readDescriptors(bytes)
  if (types === undefined)
    fields.problem('is no google.protobuf.FileDescriptorSet.', inline === undefined ? 'proto_descriptor' : 'proto_descriptor_bin')
  return types
}

function readBytes(file: string, deps: CompileDeps | undefined): Uint8Array | undefined {
  return deps?.readBytes?.(file)
}
