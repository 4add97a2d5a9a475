import type { LocalRateLimitDescriptor } from '@heddle/xds-types/envoy/extensions/common/ratelimit/v3'
import type { LocalRateLimit } from '@heddle/xds-types/envoy/extensions/filters/http/local_ratelimit/v3'
import type { TokenBucket as TokenBucketProto } from '@heddle/xds-types/envoy/type/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { compileRuntimeShare } from '../../config/fraction.js'
import { compileHeaderOption } from '../../config/header-options.js'
import { compileHttpStatus } from '../../config/http-status.js'
import { compileRateLimits } from '../../config/rate-limit-actions.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import { isGrpc } from '../../http/local-reply.js'
import type { LocalReply } from '../../http/message.js'
import { prefixedCounter } from '../../observe/filter-stats.js'
import { LOCAL_RATE_LIMIT_LABEL } from '../../observe/labels.js'
import { createHeaderMutation, type HeaderMutation } from '../../route/header-mutation.js'
import type { Runtime } from '../../runtime.js'
import {
  type BucketConfig,
  createLocalLimiter,
  type LimitedDescriptor,
  type LimitVerdict,
  type LocalLimiter,
  type LocalLimits,
} from './local-limiter.js'
import { type DescriptorSources, requestDescriptors } from './request-descriptors.js'

interface LocalRateLimitConfig {
  readonly statPrefix: string
  readonly limits: LocalLimits
  readonly sources: DescriptorSources
  readonly status: number
  /** Shares as they are now. */
  readonly enabled: () => number
  readonly enforced: () => number
  readonly perConnection: boolean
  /** x-ratelimit-limit, -remaining and -reset in every response that was counted. */
  readonly tellsClient: boolean
  readonly asResourceExhausted: boolean
  readonly whenNotEnforced: HeaderMutation
  readonly responseHeaders: HeaderMutation
}

const SHORTEST_FILL_MS = 50
const DEFAULT_DYNAMIC = 20
const RESOURCE_EXHAUSTED = '8'

/** envoy.filters.http.local_ratelimit: buckets of one config, or of each connection, by descriptors that rate_limits make. */
export const localRateLimitFilter: HttpFilterFactory<LocalRateLimitConfig> = {
  typeNames: ['envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'],
  decode: (config, path, deps) => compileMessage(config as LocalRateLimit, path, (fields) => compile(fields, deps?.runtime)),
  decodePerRoute: (config, path, deps) =>
    compileMessage(config as LocalRateLimit, path, (fields) => {
      if (!fields.has('token_bucket')) fields.problem('is required.', 'token_bucket')
      return compile(fields, deps?.runtime)
    }),
  create(config, deps, name) {
    const limiters = createLimiters(deps)
    return (stream) => createFilter((stream.perRouteConfig(name) as LocalRateLimitConfig | undefined) ?? config, limiters, deps)
  },
}

function compile(fields: Fields<LocalRateLimit>, runtime: Runtime | undefined): LocalRateLimitConfig {
  const code = compileHttpStatus(fields.message('status'))
  const config: LocalRateLimitConfig = {
    statPrefix: fields.string('stat_prefix'),
    limits: {
      bucket: compileBucket(fields.message('token_bucket')),
      descriptors: compileDescriptors(fields),
      alwaysDefault: fields.boolean('always_consume_default_token_bucket', true),
      maxDynamic: fields.number('max_dynamic_descriptors', DEFAULT_DYNAMIC),
    },
    sources: {
      stage: fields.number('stage'),
      rules: compileRateLimits(fields.messages('rate_limits')),
      virtualHost: fields.choice('vh_rate_limits', ['OVERRIDE', 'INCLUDE', 'IGNORE'], 'OVERRIDE'),
    },
    status: code < 400 ? 429 : code,
    enabled: compileRuntimeShare(fields.message('filter_enabled'), 0, runtime),
    enforced: compileRuntimeShare(fields.message('filter_enforced'), 0, runtime),
    tellsClient: fields.choice('enable_x_ratelimit_headers', ['OFF', 'DRAFT_VERSION_03'], 'OFF') !== 'OFF',
    perConnection: fields.boolean('local_rate_limit_per_downstream_connection'),
    asResourceExhausted: fields.boolean('rate_limited_as_resource_exhausted'),
    whenNotEnforced: createHeaderMutation(
      fields.messages('request_headers_to_add_when_not_enforced').map(compileHeaderOption),
      [],
    ),
    responseHeaders: createHeaderMutation(fields.messages('response_headers_to_add').map(compileHeaderOption), []),
  }
  fields.done()
  return config
}

function compileBucket(fields: Fields<TokenBucketProto> | undefined): BucketConfig | undefined {
  if (fields === undefined) return undefined
  const bucket = {
    max: fields.number('max_tokens'),
    perFill: fields.number('tokens_per_fill', 1),
    fillMs: fields.durationMs('fill_interval', 0),
  }
  fields.done()
  if (bucket.fillMs < SHORTEST_FILL_MS) fields.problem(`fill_interval must be ${SHORTEST_FILL_MS} ms or more.`)
  if (bucket.max < 1 || bucket.perFill < 1) fields.problem('max_tokens and tokens_per_fill must be 1 or more.')
  return bucket
}

function compileDescriptors(fields: Fields<LocalRateLimit>): readonly LimitedDescriptor[] {
  const seen = new Set<string>()
  return fields.messages('descriptors').flatMap((each) => {
    const descriptor = compileDescriptor(each)
    const key = JSON.stringify(descriptor?.entries)
    if (descriptor !== undefined && seen.has(key)) each.problem('an earlier one has the same entries.', 'entries')
    seen.add(key)
    return descriptor ?? []
  })
}

function compileDescriptor(fields: Fields<LocalRateLimitDescriptor>): LimitedDescriptor | undefined {
  const entries = fields.messages('entries').map((each) => {
    const entry = { key: each.string('key'), value: each.string('value') }
    each.done()
    return entry
  })
  const bucket = compileBucket(fields.message('token_bucket'))
  fields.done()
  if (entries.length === 0) fields.problem('needs at least one entry.', 'entries')
  if (bucket === undefined) fields.problem('is required.', 'token_bucket')
  return bucket && { entries, bucket }
}

type LimiterOf = (config: LocalRateLimitConfig, connection: object) => LocalLimiter

/** Buckets live as long as the config or connection that they limit. */
function createLimiters({ clock }: FilterDeps): LimiterOf {
  const shared = new WeakMap<object, WeakMap<object, LocalLimiter>>()
  return (config, connection) => {
    let own = shared.get(config)
    if (own === undefined) shared.set(config, (own = new WeakMap()))
    const key = config.perConnection ? connection : config
    let limiter = own.get(key)
    if (limiter === undefined) own.set(key, (limiter = createLocalLimiter(config.limits, clock)))
    return limiter
  }
}

function createFilter(config: LocalRateLimitConfig, limiterOf: LimiterOf, { random, stats, node }: FilterDeps): HttpFilter {
  const { limits, sources, enabled, enforced } = config
  if ((limits.bucket === undefined && limits.descriptors.length === 0) || enabled() === 0) return {}
  const counter = prefixedCounter(stats, LOCAL_RATE_LIMIT_LABEL, config.statPrefix, 'http_local_rate_limit')
  let limited = false
  let verdict: LimitVerdict | undefined
  return {
    onRequest(request, stream) {
      if (random.next() >= enabled()) return
      counter('enabled').inc()
      const descriptors = limits.descriptors.length === 0 ? [] : requestDescriptors(sources, request, stream, node.cluster)
      verdict = limiterOf(config, stream.connection).take(descriptors)
      if (verdict.allowed) {
        counter('ok').inc()
        return
      }
      counter('rate_limited').inc()
      if (random.next() < enforced()) {
        limited = true
        counter('enforced').inc()
        // No flag of the reply: as in Envoy it is set after what is made of it.
        return refusal(config, isGrpc(request.headers))
      }
      config.whenNotEnforced.apply(request.headers, { info: stream.info, requestHeaders: request.headers })
    },
    onResponse({ headers }, stream: HttpStream) {
      if (limited) {
        const { info } = stream
        const { status } = info
        // Envoy adds them before there is an answer: %RESPONSE_CODE% is 0.
        info.status = 0
        config.responseHeaders.apply(headers, { info, requestHeaders: stream.request.headers, responseHeaders: headers })
        info.status = status
        info.flags.add('RL')
      }
      if (verdict?.config === undefined || !config.tellsClient) return
      headers.set('x-ratelimit-limit', String(verdict.config.max))
      headers.set('x-ratelimit-remaining', String(verdict.remaining()))
      headers.set('x-ratelimit-reset', String(Math.ceil(verdict.nextMs() / 1000)))
    },
  }
}

function refusal({ status, asResourceExhausted }: LocalRateLimitConfig, grpc: boolean): LocalReply {
  const reply: LocalReply = { status, body: 'local_rate_limited', details: 'local_rate_limited' }
  return grpc && asResourceExhausted ? { ...reply, headers: [['grpc-status', RESOURCE_EXHAUSTED]] } : reply
}
