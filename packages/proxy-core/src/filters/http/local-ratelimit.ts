import type { LocalRateLimit } from '@heddle/xds-types/envoy/extensions/filters/http/local_ratelimit/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { compileRuntimeFraction } from '../../config/fraction.js'
import { compileHeaderOption } from '../../config/header-options.js'
import { compileHttpStatus } from '../../config/http-status.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import { isGrpc } from '../../http/local-reply.js'
import type { LocalReply } from '../../http/message.js'
import { prefixedCounter } from '../../observe/filter-stats.js'
import { LOCAL_RATE_LIMIT_LABEL } from '../../observe/labels.js'
import { createHeaderMutation, type HeaderMutation } from '../../route/header-mutation.js'
import { createTokenBucket, type TokenBucket } from './token-bucket.js'

interface LocalRateLimitConfig {
  readonly statPrefix: string
  /** Undefined: nothing is limited. */
  readonly bucket: { readonly max: number; readonly perFill: number; readonly fillMs: number } | undefined
  readonly status: number
  readonly enabled: number
  readonly enforced: number
  readonly perConnection: boolean
  /** x-ratelimit-limit, -remaining and -reset in every response that was counted. */
  readonly tellsClient: boolean
  readonly asResourceExhausted: boolean
  readonly whenNotEnforced: HeaderMutation
  readonly responseHeaders: HeaderMutation
}

const SHORTEST_FILL_MS = 50
const RESOURCE_EXHAUSTED = '8'

/** envoy.filters.http.local_ratelimit with one bucket per config, or per connection; descriptors are not supported. */
export const localRateLimitFilter: HttpFilterFactory<LocalRateLimitConfig> = {
  typeNames: ['envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'],
  decode: (config, path) => compileMessage(config as LocalRateLimit, path, compile),
  decodePerRoute: (config, path) => compileMessage(config as LocalRateLimit, path, compile),
  create(config, deps, name) {
    const buckets = createBuckets(deps)
    return (stream) => createFilter((stream.perRouteConfig(name) as LocalRateLimitConfig | undefined) ?? config, buckets, deps)
  },
}

function compile(fields: Fields<LocalRateLimit>): LocalRateLimitConfig {
  const bucket = fields.message('token_bucket')
  const code = compileHttpStatus(fields.message('status'))
  const config: LocalRateLimitConfig = {
    statPrefix: fields.string('stat_prefix'),
    bucket: bucket && {
      max: bucket.number('max_tokens'),
      perFill: bucket.number('tokens_per_fill', 1),
      fillMs: bucket.durationMs('fill_interval', 0),
    },
    status: code < 400 ? 429 : code,
    enabled: compileRuntimeFraction(fields.message('filter_enabled'), 0),
    enforced: compileRuntimeFraction(fields.message('filter_enforced'), 0),
    tellsClient: fields.choice('enable_x_ratelimit_headers', ['OFF', 'DRAFT_VERSION_03'], 'OFF') !== 'OFF',
    perConnection: fields.boolean('local_rate_limit_per_downstream_connection'),
    asResourceExhausted: fields.boolean('rate_limited_as_resource_exhausted'),
    whenNotEnforced: createHeaderMutation(
      fields.messages('request_headers_to_add_when_not_enforced').map(compileHeaderOption),
      [],
    ),
    responseHeaders: createHeaderMutation(fields.messages('response_headers_to_add').map(compileHeaderOption), []),
  }
  bucket?.done()
  fields.done({
    stage: 'means nothing without descriptors',
    always_consume_default_token_bucket: 'there is only the default bucket',
  })
  if (config.bucket !== undefined && config.bucket.fillMs < SHORTEST_FILL_MS)
    fields.problem(`fill_interval must be ${SHORTEST_FILL_MS} ms or more.`, 'token_bucket')
  if (config.bucket !== undefined && (config.bucket.max < 1 || config.bucket.perFill < 1))
    fields.problem('max_tokens and tokens_per_fill must be 1 or more.', 'token_bucket')
  return config
}

type BucketOf = (config: LocalRateLimitConfig, connection: object) => TokenBucket

/** A bucket lives as long as the config or connection that it limits. */
function createBuckets({ clock }: FilterDeps): BucketOf {
  const shared = new WeakMap<object, WeakMap<object, TokenBucket>>()
  return (config, connection) => {
    let own = shared.get(config)
    if (own === undefined) shared.set(config, (own = new WeakMap()))
    const key = config.perConnection ? connection : config
    let bucket = own.get(key)
    if (bucket === undefined) own.set(key, (bucket = createTokenBucket(config.bucket!, clock)))
    return bucket
  }
}

function createFilter(config: LocalRateLimitConfig, bucketOf: BucketOf, { random, stats }: FilterDeps): HttpFilter {
  if (config.bucket === undefined || config.enabled === 0) return {}
  const counter = prefixedCounter(stats, LOCAL_RATE_LIMIT_LABEL, config.statPrefix, 'http_local_rate_limit')
  let limited = false
  let bucket: TokenBucket | undefined
  return {
    onRequest(request, stream) {
      if (random.next() >= config.enabled) return
      counter('enabled').inc()
      bucket = bucketOf(config, stream.connection)
      if (bucket.take()) {
        counter('ok').inc()
        return
      }
      counter('rate_limited').inc()
      if (random.next() < config.enforced) {
        limited = true
        counter('enforced').inc()
        return refusal(config, isGrpc(request.headers))
      }
      config.whenNotEnforced.apply(request.headers, { info: stream.info, requestHeaders: request.headers })
    },
    onResponse({ headers }, stream: HttpStream) {
      if (limited)
        config.responseHeaders.apply(headers, {
          info: stream.info,
          requestHeaders: stream.request.headers,
          responseHeaders: headers,
        })
      if (bucket === undefined || !config.tellsClient || config.bucket === undefined) return
      headers.set('x-ratelimit-limit', String(config.bucket.max))
      headers.set('x-ratelimit-remaining', String(bucket.remaining()))
      headers.set('x-ratelimit-reset', String(Math.ceil(config.bucket.fillMs / 1000)))
    },
  }
}

function refusal({ status, asResourceExhausted }: LocalRateLimitConfig, grpc: boolean): LocalReply {
  const reply: LocalReply = { status, body: 'local_rate_limited', details: 'local_rate_limited', flag: 'RL' }
  return grpc && asResourceExhausted ? { ...reply, headers: [['grpc-status', RESOURCE_EXHAUSTED]] } : reply
}
