import type { RateLimit, RateLimitPerRoute } from '@heddle/xds-types/envoy/extensions/filters/http/ratelimit/v3'
import type { Fields } from '../../config/fields.js'
import { compileRuntimeShare } from '../../config/fraction.js'
import { compileGrpcService, type GrpcService } from '../../config/grpc-service.js'
import { compileHeaderOption } from '../../config/header-options.js'
import { compileHttpStatus } from '../../config/http-status.js'
import { compileRateLimits } from '../../config/rate-limit-actions.js'
import { createHeaderMutation, type HeaderMutation } from '../../route/header-mutation.js'
import type { RateLimitRule } from '../../route/rate-limit.js'
import type { Runtime } from '../../runtime.js'

export interface RateLimitConfig {
  readonly domain: string
  readonly stage: number
  readonly requestType: 'both' | 'internal' | 'external'
  readonly service: GrpcService
  readonly timeoutMs: number
  /** Shares from 0 to 1, as they are now. */
  readonly enabled: () => number
  readonly enforced: () => number
  /** Of errors that refuse the request. */
  readonly failureDeny: () => number
  readonly status: number
  readonly statusOnError: number
  readonly asResourceExhausted: boolean
  /** x-ratelimit-limit, -remaining and -reset. */
  readonly tellsClient: boolean
  readonly retryAfter: boolean
  readonly saysRateLimited: boolean
  readonly responseHeaders: HeaderMutation
  /** Part of the statistics' names; empty: none. */
  readonly statPrefix: string
  readonly metadataNamespace: string
  /** In place of those of the route. */
  readonly rules: readonly RateLimitRule[]
}

export interface PerRouteRateLimit {
  readonly virtualHost: 'OVERRIDE' | 'INCLUDE' | 'IGNORE'
  /** Empty: the filter's. */
  readonly domain: string
  readonly rules: readonly RateLimitRule[]
}

const DEFAULT_TIMEOUT_MS = 20

export function compileRateLimitFilter(fields: Fields<RateLimit>, runtime: Runtime | undefined): RateLimitConfig {
  const service = compileService(fields)
  const denies = fields.boolean('failure_mode_deny')
  const status = compileHttpStatus(fields.message('rate_limited_status'))
  const onError = compileHttpStatus(fields.message('status_on_error'))
  const config: RateLimitConfig = {
    domain: fields.string('domain'),
    stage: fields.number('stage'),
    requestType: requestType(fields),
    service: service ?? { cluster: '', timeoutMs: 0, metadata: [] },
    timeoutMs: fields.durationMs('timeout', DEFAULT_TIMEOUT_MS),
    enabled: compileRuntimeShare(fields.message('filter_enabled'), 1, runtime),
    enforced: compileRuntimeShare(fields.message('filter_enforced'), 1, runtime),
    failureDeny: compileRuntimeShare(fields.message('failure_mode_deny_percent'), denies ? 1 : 0, runtime),
    status: status < 400 ? 429 : status,
    statusOnError: onError < 400 ? 500 : onError,
    asResourceExhausted: fields.boolean('rate_limited_as_resource_exhausted'),
    tellsClient: fields.choice('enable_x_ratelimit_headers', ['OFF', 'DRAFT_VERSION_03'], 'OFF') !== 'OFF',
    retryAfter: fields.boolean('enable_retry_after_header'),
    saysRateLimited: !fields.boolean('disable_x_envoy_ratelimited_header'),
    responseHeaders: createHeaderMutation(fields.messages('response_headers_to_add').map(compileHeaderOption), []),
    statPrefix: fields.string('stat_prefix'),
    metadataNamespace: fields.string('metadata_namespace') || 'envoy.filters.http.ratelimit',
    rules: compileRateLimits(fields.messages('rate_limits')),
  }
  if (config.domain === '') fields.problem('is required.', 'domain')
  if (config.stage > 10) fields.problem('must be 0 to 10.', 'stage')
  fields.done()
  return config
}

/** Empty is both, as Envoy has it. */
function requestType(fields: Fields<RateLimit>): RateLimitConfig['requestType'] {
  if (fields.string('request_type') === '') return 'both'
  return fields.choice('request_type', ['both', 'internal', 'external'], 'both')
}

function compileService(fields: Fields<RateLimit>): GrpcService | undefined {
  const config = fields.message('rate_limit_service')
  const grpc = config?.message('grpc_service')
  if (config === undefined) fields.problem('is required.', 'rate_limit_service')
  else if (grpc === undefined) config.problem('is required.', 'grpc_service')
  const service = grpc && compileGrpcService(grpc)
  config?.choice('transport_api_version', ['AUTO', 'V3'], 'V3')
  config?.done()
  return service
}

export function compilePerRoute(fields: Fields<RateLimitPerRoute>): PerRouteRateLimit {
  const own = {
    virtualHost: fields.choice('vh_rate_limits', ['OVERRIDE', 'INCLUDE', 'IGNORE'], 'OVERRIDE'),
    domain: fields.string('domain'),
    rules: compileRateLimits(fields.messages('rate_limits')),
  }
  fields.choice('override_option', ['DEFAULT'], 'DEFAULT')
  fields.done()
  return own
}
