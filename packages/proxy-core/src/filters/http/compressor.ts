import type { Counter } from '@heddle/runtime'
import type { RuntimeFeatureFlag } from '@heddle/xds-types/envoy/config/core/v3'
import type {
  Compressor,
  Compressor_CommonDirectionConfig,
  CompressorPerRoute,
} from '@heddle/xds-types/envoy/extensions/filters/http/compressor/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { Body, HttpRequest, HttpResponse } from '../../http/message.js'
import { compileStringMatcher } from '../../matcher/string.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { type Choice, chooseCoding, type Offer } from './accept-encoding.js'
import { recodeBody } from './compression.js'
import { type CompressionLibrary, compileCompressorLibrary } from './compressor-library.js'

interface Direction {
  readonly enabled: boolean
  readonly minBytes: number
  /** Of a media type without its parameters, as it was sent. */
  allowsType(type: string): boolean
}

interface ResponseDirection extends Direction {
  readonly notWithEtag: boolean
  readonly weakenEtag: boolean
  readonly removeAcceptEncoding: boolean
  readonly notWithStatus: ReadonlySet<number>
  readonly tellsStatus: boolean
}

/** Why a message stays as it is, in the words of x-envoy-compression-status; '' where that is not told. */
type Refusal = '' | 'ContentLengthTooSmall' | 'ContentTypeNotAllowed' | 'EtagNotAllowed' | 'StatusCodeNotAllowed'

type CountersOf = (stat: string) => Counter

interface CompressorConfig {
  readonly library: CompressionLibrary
  /** The statistics of responses say so. */
  readonly ofResponses: boolean
  readonly request: Direction
  readonly response: ResponseDirection
  readonly chooseFirst: boolean
}

interface Override {
  /** Off here; but what the filter offers is among what the chain chooses from. */
  readonly disabled: boolean
  readonly removeAcceptEncoding?: boolean
  readonly library?: CompressionLibrary
}

const DEFAULT_TYPES =
  'application/javascript application/json application/xhtml+xml image/svg+xml text/css text/html text/plain text/xml'.split(' ')
/** In filterState: what the compressors of this chain offer. */
const OFFERS = 'envoy.filters.http.compressor'

interface Negotiation {
  readonly offers: (Offer & Pick<Direction, 'allowsType'>)[]
  /** Of the first that asks; it holds for all. */
  choice?: Choice
}

/** envoy.filters.http.compressor: bodies in gzip, brotli or zstd for who accepts it; several in a chain choose together. */
export const compressorFilter: HttpFilterFactory<CompressorConfig> = {
  typeNames: ['envoy.extensions.filters.http.compressor.v3.Compressor'],
  perRouteTypeNames: ['envoy.extensions.filters.http.compressor.v3.CompressorPerRoute'],
  decode: (config, path) => compileMessage(config as Compressor, path, compile),
  decodePerRoute: (config, path) =>
    compileMessage(config as CompressorPerRoute, path, (fields): Override => {
      const disabled = fields.boolean('disabled')
      const overrides = fields.message('overrides')
      const response = overrides?.message('response_direction_config')
      const library = overrides?.message('compressor_library')
      const compiled = library && compileCompressorLibrary(library)
      const override: Override = {
        disabled,
        ...(response?.has('remove_accept_encoding_header') && {
          removeAcceptEncoding: response.boolean('remove_accept_encoding_header'),
        }),
        ...(compiled !== undefined && { library: compiled }),
      }
      response?.done()
      overrides?.done()
      fields.done()
      return override
    }),
  create: (config, deps, name) => (stream) => createFilter(config, stream.perRouteConfig(name) as Override | undefined, deps),
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
    const own = {
      enabled: compileFlag(common?.message('enabled'), enabled),
      minBytes: common?.number('min_content_length', 30) ?? older.min,
      allowsType: compileTypes(common, older.types),
    }
    common?.done()
    return own
  }
  const config = {
    library: compileCompressorLibrary(libraryFields)!,
    ofResponses: request !== undefined,
    request: { ...direction(request?.message('common_config'), true), ...(request === undefined && { enabled: false }) },
    response: {
      ...direction(response?.message('common_config'), legacy.enabled),
      notWithEtag: response?.boolean('disable_on_etag_header') ?? legacy.etag,
      weakenEtag: response?.boolean('weaken_etag_on_compress') ?? false,
      removeAcceptEncoding: response?.boolean('remove_accept_encoding_header') ?? legacy.accept,
      notWithStatus: new Set(response?.numbers('uncompressible_response_codes')),
      tellsStatus: response?.boolean('status_header_enabled') ?? false,
    },
    chooseFirst: fields.boolean('choose_first'),
  }
  request?.done()
  response?.done()
  fields.done()
  return config
}

function compileTypes(
  common: Fields<Compressor_CommonDirectionConfig> | undefined,
  older: readonly string[],
): Direction['allowsType'] {
  const own = common?.strings('content_type') ?? []
  const matchers = common?.messages('content_type_matcher').map(compileStringMatcher) ?? []
  if (matchers.length > 0) return (type) => matchers.some((matcher) => matcher.matches(type))
  const types = new Set((own.length > 0 ? own : older.length > 0 ? older : DEFAULT_TYPES).map((type) => type.toLowerCase()))
  return (type) => types.has(type.toLowerCase())
}

export function compileFlag(fields: Fields<RuntimeFeatureFlag> | undefined, fallback: boolean): boolean {
  const value = fields?.boolean('default_value', true) ?? fallback
  fields?.done({ runtime_key: 'no runtime layer overrides it' })
  return value
}

function createFilter(config: CompressorConfig, override: Override | undefined, deps: FilterDeps): HttpFilter {
  // Statistics are the filter's, whatever a route has it compress with.
  const { name, coding } = config.library
  const library = override?.library ?? config.library
  const family = `compressor_${name}_${coding === 'br' ? 'brotli' : coding}`.replace(/[^a-z0-9_]/gi, '_')
  const counter = httpFilterCounter(deps.stats, deps.statPrefix ?? '', family)
  // Only a config that tells the directions apart has them told apart in its statistics, but for what only responses have.
  const ofResponse: CountersOf = (stat) => counter(config.ofResponses ? `response_${stat}` : stat)
  const ofRequest: CountersOf = (stat) => counter(`request_${stat}`)
  const offer = { coding: library.coding, chooseFirst: config.chooseFirst, allowsType: config.response.allowsType }
  let accepts: string | undefined
  const code = (counterOf: CountersOf, headers: HeaderMap, body: Body): Body => {
    headers.delete('content-length')
    headers.set('content-encoding', library.coding)
    counterOf('compressed').inc()
    return recodeBody(body, library.create(), {
      bytes: (taken, given) => {
        if (taken > 0) counterOf('total_uncompressed_bytes').inc(taken)
        if (given > 0) counterOf('total_compressed_bytes').inc(given)
      },
    })
  }
  return {
    onRequest(request, stream) {
      const { headers, body } = request
      negotiation(stream).offers.push(offer)
      if (override?.disabled === true) return
      // A compressor before may have taken it away: then this one does nothing.
      accepts = headers.has('accept-encoding') ? headers.getAll('accept-encoding').join(',') : undefined
      if (config.response.enabled && (override?.removeAcceptEncoding ?? config.response.removeAcceptEncoding))
        headers.delete('accept-encoding')
      if (!config.request.enabled) return
      const refusal = refusalOf(request, config.request)
      if (refusal === 'ContentLengthTooSmall') ofRequest('content_length_too_small').inc()
      const fits = body.length !== 0 && refusal === undefined && request.upgrade === undefined
      if (fits) request.body = code(ofRequest, headers, body)
      else ofRequest('not_compressed').inc()
    },
    onResponse(response, stream) {
      if (override?.disabled === true) return
      const { headers, body } = response
      const refusal = refusalOfResponse(response, config.response)
      const bodyless = body.length === 0 || stream.request.method === 'HEAD'
      if (refusal === 'ContentLengthTooSmall') ofResponse('content_length_too_small').inc()
      else if (refusal === 'EtagNotAllowed') counter('not_compressed_etag').inc()
      const wanted = !bodyless && refusal === undefined && isChosen(negotiation(stream), accepts, offer, headers, counter)
      // Whatever this client got: another one may get the other form.
      if (refusal === undefined) vary(headers)
      const told = wanted ? `Compressed;OriginalLength=${headers.get('content-length') ?? ''}` : refusal
      if (config.response.tellsStatus && !bodyless && told !== undefined && told !== '')
        addStatus(headers, `${library.coding};${told}`)
      if (!wanted) ofResponse('not_compressed').inc()
      else {
        adaptEtag(headers, config.response.weakenEtag)
        response.body = code(ofResponse, headers, body)
      }
    },
  }
}

/** The bytes are others now: a strong validator does not hold (RFC 9110 §8.8.1). */
function adaptEtag(headers: HeaderMap, weaken: boolean): void {
  const etag = headers.get('etag')
  if (etag === undefined || etag.startsWith('W/')) return
  if (weaken) headers.set('etag', `W/${etag}`)
  else headers.delete('etag')
}

function addStatus(headers: HeaderMap, status: string): void {
  const name = 'x-envoy-compression-status'
  headers.set(name, [...headers.getAll(name), status].join(', '))
}

function negotiation({ info }: HttpStream): Negotiation {
  const present = info.filterState.get(OFFERS) as Negotiation | undefined
  if (present !== undefined) return present
  const fresh: Negotiation = { offers: [] }
  info.filterState.set(OFFERS, fresh)
  return fresh
}

/** Whether this compressor is the one of the chain; and counts why. */
function isChosen(
  negotiation: Negotiation,
  accepts: string | undefined,
  { coding }: Offer,
  headers: HeaderMap,
  counterOf: CountersOf,
): boolean {
  if (accepts === undefined) {
    counterOf('no_accept_header').inc()
    return false
  }
  const type = typeOf(headers)
  const choice = (negotiation.choice ??= chooseCoding(
    accepts,
    negotiation.offers.filter(({ allowsType }) => type === undefined || allowsType(type)),
  ))
  const ours = choice.coding === coding
  const named = ours ? 'header_compressor_used' : 'header_compressor_overshadowed'
  counterOf(choice.reason === 'named' ? named : choice.reason).inc()
  return ours
}

/** Without its parameters. */
function typeOf(headers: HeaderMap): string | undefined {
  return headers.get('content-type')?.split(';')[0]?.trim()
}

/** Undefined: nothing stands against it. */
function refusalOf(
  { headers, body }: HttpRequest | HttpResponse,
  { enabled, minBytes, allowsType }: Direction,
): Refusal | undefined {
  if (!enabled || headers.has('content-encoding')) return ''
  if (headers.getAll('cache-control').some((value) => /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(value))) return ''
  // What does not say how long it is may be long: to HEAD, 204 and 304 as well, though there is nothing to compress.
  const length = Number(headers.get('content-length') ?? (body.length || minBytes))
  if (length < minBytes) return 'ContentLengthTooSmall'
  const type = typeOf(headers)
  return type === undefined || allowsType(type) ? undefined : 'ContentTypeNotAllowed'
}

function refusalOfResponse(response: HttpResponse, direction: ResponseDirection): Refusal | undefined {
  if (response.status === 101) return ''
  const refusal = refusalOf(response, direction)
  if (refusal !== undefined) return refusal
  if (direction.notWithEtag && response.headers.has('etag')) return 'EtagNotAllowed'
  return direction.notWithStatus.has(response.status) ? 'StatusCodeNotAllowed' : undefined
}

function vary(headers: HeaderMap): void {
  const present = headers.getAll('vary')
  if (present.length === 0) headers.set('vary', 'Accept-Encoding')
  else if (!present.some((value) => /(?:^|,)\s*Accept-Encoding\s*(?:,|$)/.test(value)))
    headers.set('vary', `${present.join(',')}, Accept-Encoding`)
}
