import type {
  JwtClaimToHeader,
  JwtProvider as JwtProviderProto,
  RemoteJwks,
} from '@heddle/xds-types/envoy/extensions/filters/http/jwt_authn/v3'
import { compileDataSource, type DataSourceReads } from '../config/data-source.js'
import type { Fields } from '../config/fields.js'
import { compileHttpUri } from '../config/grpc-service.js'
import { asciiLower } from '../matcher/ascii.js'
import { compileStringMatcher, type StringMatcher } from '../matcher/string.js'
import { parseJwks } from './jwks.js'
import { compileLocations, type TokenLocations } from './locations.js'
import type { Keys, RemoteJwksConfig } from './remote-keys.js'

/** JwtProvider, compiled: whose tokens are taken, and what becomes of their claims. */
export interface JwtProvider {
  readonly name: string
  /** Empty: any. */
  readonly issuer: string
  allowsAudience(audiences: readonly string[]): boolean
  readonly subject?: StringMatcher
  /** Undefined: a token may live for ever. */
  readonly maxLifetimeSeconds?: number
  readonly clockSkewSeconds: number
  readonly keys: Keys | RemoteJwksConfig
  readonly locations: TokenLocations
  readonly forward: boolean
  readonly payloadHeader: string
  readonly padPayload: boolean
  readonly claimHeaders: readonly { readonly header: string; readonly path: readonly string[] }[]
  readonly payloadInMetadata: string
  readonly headerInMetadata: string
  readonly failedStatusInMetadata: string
  readonly spaceDelimitedClaims: ReadonlySet<string>
  readonly clearRouteCache: boolean
  readonly cache: { readonly entries: number; readonly maxTokenBytes: number; readonly counted: boolean }
}

const CACHE_MS = 600_000
const SKEW_SECONDS = 60
const CACHE_ENTRIES = 100
const CACHED_TOKEN_BYTES = 4096

export function compileProvider(name: string, fields: Fields<JwtProviderProto>, reads: DataSourceReads): JwtProvider {
  const issuer = fields.string('issuer')
  const subjects = fields.message('subjects')
  const normalize = fields.message('normalize_payload_in_metadata')
  const lifetimeMs = fields.durationMs('max_lifetime', fields.boolean('require_expiration') ? Infinity : -1)
  const provider: JwtProvider = {
    name,
    issuer,
    allowsAudience: audienceCheck(fields.strings('audiences')),
    ...(subjects && { subject: compileStringMatcher(subjects) }),
    ...(lifetimeMs >= 0 && { maxLifetimeSeconds: lifetimeMs / 1000 }),
    clockSkewSeconds: fields.number('clock_skew_seconds') || SKEW_SECONDS,
    keys: compileKeys(fields, reads),
    locations: compileLocations(fields, issuer),
    forward: fields.boolean('forward'),
    payloadHeader: asciiLower(fields.string('forward_payload_header')),
    padPayload: fields.boolean('pad_forward_payload_header'),
    claimHeaders: fields.messages('claim_to_headers').map(compileClaimHeader),
    payloadInMetadata: fields.string('payload_in_metadata'),
    headerInMetadata: fields.string('header_in_metadata'),
    failedStatusInMetadata: fields.string('failed_status_in_metadata'),
    spaceDelimitedClaims: new Set(normalize?.strings('space_delimited_claims') ?? []),
    clearRouteCache: fields.boolean('clear_route_cache'),
    cache: compileCache(fields),
  }
  normalize?.done()
  fields.done()
  return provider
}

/** Any one of the token's audiences is enough; scheme and a trailing slash do not count. Nothing wanted: any token. */
export function audienceCheck(wanted: readonly string[]): (audiences: readonly string[]) => boolean {
  if (wanted.length === 0) return () => true
  const allowed = new Set(wanted.map(bareAudience))
  return (audiences) => audiences.some((audience) => allowed.has(bareAudience(audience)))
}

function bareAudience(audience: string): string {
  // Most are plain names.
  if (!audience.includes('/')) return audience
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

function compileClaimHeader(fields: Fields<JwtClaimToHeader>): JwtProvider['claimHeaders'][number] {
  const path = fields.messages('claim_path').map((segment) => {
    const key = segment.string('key')
    segment.done()
    return key
  })
  const dotted = fields.string('claim_name')
  const header = asciiLower(fields.string('header_name'))
  fields.done()
  return { header, path: path.length > 0 ? path : dotted.split('.') }
}

function compileCache(fields: Fields<JwtProviderProto>): JwtProvider['cache'] {
  const cache = fields.message('jwt_cache_config')
  const entries = cache?.number('jwt_cache_size') || CACHE_ENTRIES
  const maxTokenBytes = cache?.number('jwt_max_token_size') || CACHED_TOKEN_BYTES
  cache?.done()
  return { entries, maxTokenBytes, counted: cache !== undefined }
}

function compileKeys(fields: Fields<JwtProviderProto>, reads: DataSourceReads): JwtProvider['keys'] {
  const remote = fields.message('remote_jwks')
  if (remote !== undefined) return compileRemote(remote)
  const local = fields.message('local_jwks')
  const text = compileDataSource(local, reads)
  if (local === undefined) fields.problem('needs one of remote_jwks, local_jwks.')
  if (text === undefined) return []
  const keys = parseJwks(text)
  if (keys === undefined) fields.problem('is no JWKS.', 'local_jwks')
  else if (keys.length === 0) fields.problem('has no key that could verify a token.', 'local_jwks')
  return keys ?? []
}

function compileRemote(fields: Fields<RemoteJwks>): Keys | RemoteJwksConfig {
  const uri = fields.message('http_uri')
  const where = uri && compileHttpUri(uri)
  const async = fields.message('async_fetch')
  const retry = fields.message('retry_policy')
  const backOff = retry?.message('retry_back_off')
  if (uri === undefined) fields.problem('is required.', 'http_uri')
  const retryBaseMs = backOff?.durationMs('base_interval', 1000) ?? 1000
  const rest: Omit<RemoteJwksConfig, 'uri'> = {
    cacheMs: fields.durationMs('cache_duration', CACHE_MS),
    async: async !== undefined,
    retries: retry === undefined ? 0 : retry.number('num_retries', 1),
    retryBaseMs,
    // As Envoy takes it: how long it may wait between attempts is how long one may take.
    attemptMs: retry === undefined ? Infinity : (backOff?.durationMs('max_interval', 10 * retryBaseMs) ?? 10 * retryBaseMs),
  }
  async?.done({ fast_listener: 'a listener never waits for keys here', failed_refetch_duration: 'the next token asks again' })
  backOff?.done()
  retry?.done({ retry_on: 'every failure is tried again' })
  fields.done()
  return where === undefined ? [] : { ...rest, uri: where }
}
