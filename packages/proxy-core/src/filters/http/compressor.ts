import type { RuntimeFeatureFlag } from '@heddle/xds-types/envoy/config/core/v3'
import type {
  Compressor,
  Compressor_CommonDirectionConfig,
  CompressorPerRoute,
} from '@heddle/xds-types/envoy/extensions/filters/http/compressor/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { FILTER_DISABLED } from '../../config/per-filter-config.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { Body, HttpRequest, HttpResponse } from '../../http/message.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { type Choice, chooseCoding, type Offer } from './accept-encoding.js'
import { recodeBody } from './compression.js'
import { type CompressionLibrary, compileCompressorLibrary } from './compressor-library.js'

interface Direction {
  readonly enabled: boolean
  readonly minBytes: number
  readonly contentTypes: ReadonlySet<string>
}

interface CompressorConfig {
  readonly library: CompressionLibrary
  readonly request: Direction
  readonly response: Direction & { readonly notWithEtag: boolean; readonly removeAcceptEncoding: boolean }
  readonly chooseFirst: boolean
}

interface Override {
  readonly removeAcceptEncoding?: boolean
}

const DEFAULT_TYPES =
  'application/javascript application/json application/xhtml+xml image/svg+xml text/css text/html text/plain text/xml'.split(' ')
/** In filterState: what the compressors of this chain offer, and what the client said. */
const OFFERS = 'envoy.filters.http.compressor'

interface Negotiation {
  readonly offers: Offer[]
  accepts: string | undefined
  choice?: { readonly value: Choice }
}

/** envoy.filters.http.compressor: bodies in gzip, brotli or zstd for who accepts it; several in a chain choose together. */
export const compressorFilter: HttpFilterFactory<CompressorConfig> = {
  typeNames: ['envoy.extensions.filters.http.compressor.v3.Compressor'],
  perRouteTypeNames: ['envoy.extensions.filters.http.compressor.v3.CompressorPerRoute'],
  decode: (config, path) => compileMessage(config as Compressor, path, compile),
  decodePerRoute: (config, path) =>
    compileMessage(config as CompressorPerRoute, path, (fields): Override | typeof FILTER_DISABLED => {
      const disabled = fields.boolean('disabled')
      const overrides = fields.message('overrides')
      const response = overrides?.message('response_direction_config')
      const override = response?.has('remove_accept_encoding_header')
        ? { removeAcceptEncoding: response.boolean('remove_accept_encoding_header') }
        : {}
      response?.done()
      overrides?.done()
      fields.done()
      return disabled ? FILTER_DISABLED : override
    }),
  create: (config, deps, name) => (stream) =>
    createFilter(config, (stream.perRouteConfig(name) as Override | undefined) ?? {}, deps),
}

function compile(fields: Fields<Compressor>): CompressorConfig {
  const libraryFields = fields.message('compressor_library')
  if (libraryFields === undefined) fields.problem('is required.', 'compressor_library')
  const request = fields.message('request_direction_config')
  const response = fields.message('response_direction_config')
  // The fields of the message itself are the older spelling of response_direction_config.
  const older = { min: fields.number('content_length', 30), types: fields.strings('content_type') }
  const legacy = {
    etag: fields.boolean('disable_on_etag_header'),
    accept: fields.boolean('remove_accept_encoding_header'),
    enabled: compileFlag(fields.message('runtime_enabled'), true),
  }
  const direction = (common: Fields<Compressor_CommonDirectionConfig> | undefined, enabled: boolean): Direction => {
    const types = common?.strings('content_type') ?? []
    const own = {
      enabled: compileFlag(common?.message('enabled'), enabled),
      minBytes: common?.number('min_content_length', 30) ?? older.min,
      contentTypes: new Set(
        (types.length > 0 ? types : older.types.length > 0 ? older.types : DEFAULT_TYPES).map((type) => type.toLowerCase()),
      ),
    }
    common?.done()
    return own
  }
  const config = {
    library: compileCompressorLibrary(libraryFields)!,
    request: { ...direction(request?.message('common_config'), true), ...(request === undefined && { enabled: false }) },
    response: {
      ...direction(response?.message('common_config'), legacy.enabled),
      notWithEtag: response?.boolean('disable_on_etag_header') ?? legacy.etag,
      removeAcceptEncoding: response?.boolean('remove_accept_encoding_header') ?? legacy.accept,
    },
    chooseFirst: fields.boolean('choose_first'),
  }
  request?.done()
  response?.done()
  fields.done()
  return config
}

export function compileFlag(fields: Fields<RuntimeFeatureFlag> | undefined, fallback: boolean): boolean {
  const value = fields?.boolean('default_value', true) ?? fallback
  fields?.done({ runtime_key: 'no runtime layer overrides it' })
  return value
}

function createFilter(config: CompressorConfig, override: Override, deps: FilterDeps): HttpFilter {
  const { library } = config
  const family = `compressor_${library.name}_${library.coding === 'br' ? 'brotli' : library.coding}`.replace(/[^a-z0-9_]/gi, '_')
  const counter = httpFilterCounter(deps.stats, deps.statPrefix ?? '', family)
  const code = (direction: 'request' | 'response', headers: HeaderMap, body: Body): Body => {
    headers.delete('content-length')
    headers.set('content-encoding', library.coding)
    counter(`${direction}_compressed`).inc()
    return recodeBody(body, library.create(), {
      bytes: (taken, given) => {
        if (taken > 0) counter(`${direction}_total_uncompressed_bytes`).inc(taken)
        if (given > 0) counter(`${direction}_total_compressed_bytes`).inc(given)
      },
    })
  }
  return {
    onRequest(request, stream) {
      const { headers, body } = request
      negotiation(stream, headers).offers.push({ coding: library.coding, chooseFirst: config.chooseFirst })
      if (config.response.enabled && (override.removeAcceptEncoding ?? config.response.removeAcceptEncoding))
        headers.delete('accept-encoding')
      if (!config.request.enabled) return
      const fits = body.length !== 0 && isCompressible(request, config.request) && request.upgrade === undefined
      if (fits) request.body = code('request', headers, body)
      else counter('request_not_compressed').inc()
    },
    onResponse(response, stream) {
      const { headers, body } = response
      const compressible =
        isCompressible(response, config.response) &&
        response.status !== 101 &&
        !(config.response.notWithEtag && headers.has('etag'))
      const bodyless = body.length === 0 || stream.request.method === 'HEAD'
      if (compressible && !bodyless && chosen(stream) === library.coding) {
        if (!headers.get('etag')?.startsWith('W/')) headers.delete('etag')
        response.body = code('response', headers, body)
      } else counter('response_not_compressed').inc()
      // Whatever this client got: another one may get the other form.
      if (compressible) vary(headers)
    },
  }
}

/** Accept-Encoding as it came: a compressor before may have taken it away. */
function negotiation({ info }: HttpStream, headers: HeaderMap): Negotiation {
  const present = info.filterState.get(OFFERS) as Negotiation | undefined
  if (present !== undefined) return present
  const all = headers.getAll('accept-encoding')
  const fresh: Negotiation = { offers: [], accepts: all.length === 0 ? undefined : all.join(',') }
  info.filterState.set(OFFERS, fresh)
  return fresh
}

function chosen({ info }: HttpStream): Choice {
  const ours = info.filterState.get(OFFERS) as Negotiation | undefined
  if (ours === undefined) return undefined
  ours.choice ??= { value: chooseCoding(ours.accepts, ours.offers) }
  return ours.choice.value
}

function isCompressible({ headers, body }: HttpRequest | HttpResponse, { enabled, minBytes, contentTypes }: Direction): boolean {
  // What does not say how long it is may be long: to HEAD, 204 and 304 as well, though there is nothing to compress.
  const length = Number(headers.get('content-length') ?? (body.length || minBytes))
  if (!enabled || length < minBytes) return false
  if (headers.has('content-encoding')) return false
  if (headers.getAll('cache-control').some((value) => /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(value))) return false
  const type = headers.get('content-type')
  return type === undefined || contentTypes.has(type.split(';')[0]!.trim().toLowerCase())
}

function vary(headers: HeaderMap): void {
  const present = headers.getAll('vary')
  if (present.length === 0) headers.set('vary', 'Accept-Encoding')
  else if (!present.some((value) => /(?:^|,)\s*accept-encoding\s*(?:,|$)/i.test(value)))
    headers.set('vary', `${present.join(', ')}, Accept-Encoding`)
}
