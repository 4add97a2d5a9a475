import type {
  Decompressor,
  Decompressor_CommonDirectionConfig,
} from '@heddle/xds-types/envoy/extensions/filters/http/decompressor/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory } from '../../http/filter.js'
import { createHeaderMap, type HeaderMap } from '../../http/header-map.js'
import type { Body } from '../../http/message.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { recodeBody } from './compression.js'
import { compileFlag } from './compressor.js'
import { type CompressionLibrary, compileDecompressorLibrary } from './compressor-library.js'

interface Direction {
  readonly enabled: boolean
  readonly ignoreNoTransform: boolean
}

interface DecompressorConfig {
  readonly library: CompressionLibrary
  readonly request: Direction
  readonly response: Direction
  readonly advertise: boolean
}

/** A body that grows by more than this is a bomb (CVE-2022-29225); small ones may. */
const MAX_RATIO = 100
const FREE_BYTES = 1024 * 1024

/** envoy.filters.http.decompressor: takes a content coding off requests and responses, and asks upstreams for it. */
export const decompressorFilter: HttpFilterFactory<DecompressorConfig> = {
  typeNames: ['envoy.extensions.filters.http.decompressor.v3.Decompressor'],
  decode: (config, path) => compileMessage(config as Decompressor, path, compile),
  create: (config, deps) => () => createFilter(config, deps),
}

function compile(fields: Fields<Decompressor>): DecompressorConfig {
  const library = fields.message('decompressor_library')
  if (library === undefined) fields.problem('is required.', 'decompressor_library')
  const request = fields.message('request_direction_config')
  const response = fields.message('response_direction_config')
  const config = {
    library: compileDecompressorLibrary(library)!,
    request: compileDirection(request?.message('common_config')),
    response: compileDirection(response?.message('common_config')),
    advertise: request?.boolean('advertise_accept_encoding', true) ?? true,
  }
  request?.done()
  response?.done()
  fields.done()
  return config
}

function compileDirection(fields: Fields<Decompressor_CommonDirectionConfig> | undefined): Direction {
  const direction = {
    enabled: compileFlag(fields?.message('enabled'), true),
    ignoreNoTransform: fields?.boolean('ignore_no_transform_header') ?? false,
  }
  fields?.done()
  return direction
}

function createFilter({ library, request, response, advertise }: DecompressorConfig, deps: FilterDeps): HttpFilter {
  const { name, coding } = library
  const family = `decompressor_${name}_${coding === 'br' ? 'brotli' : coding}`.replace(/[^a-z0-9_]/gi, '_')
  const counter = httpFilterCounter(deps.stats, deps.statPrefix ?? '', family)
  const decode = (direction: 'request' | 'response', headers: HeaderMap, body: Body): Body => {
    takeCodingOff(headers)
    counter(`${direction}_decompressed`).inc()
    let before = 0
    let after = 0
    return recodeBody(body, library.create(), {
      bytes(taken, given) {
        before += taken
        after += given
        if (taken > 0) counter(`${direction}_total_compressed_bytes`).inc(taken)
        if (given > 0) counter(`${direction}_total_uncompressed_bytes`).inc(given)
      },
      refuses: (taken, given) =>
        given > FREE_BYTES && given > taken * MAX_RATIO
          ? `the body grows by more than ${MAX_RATIO} when it is decompressed`
          : undefined,
      ended(trailers = createHeaderMap()) {
        trailers.set(`x-envoy-decompressor-${name}-compressed-bytes`, String(before))
        trailers.set(`x-envoy-decompressor-${name}-uncompressed-bytes`, String(after))
        return trailers
      },
    })
  }
  return {
    onRequest(message) {
      const { headers, body } = message
      if (response.enabled && advertise) headers.set('accept-encoding', withCoding(headers.getAll('accept-encoding'), coding))
      if (body.length === 0) return
      if (concerns(request, headers, coding)) message.body = decode('request', headers, body)
      else counter('request_not_decompressed').inc()
    },
    onResponse(message, stream) {
      const { headers, body } = message
      if (body.length === 0 || stream.request.method === 'HEAD') return
      if (concerns(response, headers, coding)) message.body = decode('response', headers, body)
      else counter('response_not_decompressed').inc()
    },
  }
}

function concerns({ enabled, ignoreNoTransform }: Direction, headers: HeaderMap, coding: string): boolean {
  if (!enabled) return false
  const noTransform = headers.getAll('cache-control').some((value) => /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(value))
  // Of several codings the first one named is the one that Envoy takes.
  return (ignoreNoTransform || !noTransform) && codings(headers)[0]?.toLowerCase() === coding
}

function codings(headers: HeaderMap): readonly string[] {
  return headers.getAll('content-encoding').flatMap((value) => value.split(',').map((part) => part.trim()))
}

function takeCodingOff(headers: HeaderMap): void {
  const rest = codings(headers).slice(1)
  if (rest.length === 0) headers.delete('content-encoding')
  else headers.set('content-encoding', rest.join(','))
  headers.delete('content-length')
}

/** Ours without a weight, once, behind the others. */
function withCoding(present: readonly string[], coding: string): string {
  const others = present
    .flatMap((value) => value.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '' && part.split(';')[0]!.trim() !== coding)
  return [...others, coding].join(',')
}
