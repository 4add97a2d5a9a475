import { type DestinationRateLimit, destinationExtensions } from '@heddle/config-model'
import type { Build } from '../build.js'
import type { MergedRule } from '../merged-rules.js'
import { defined, duration, type TypedMessage, typed } from '../message.js'
import { ALWAYS } from '../routes/percent.js'
import { extensionOf } from './destination.js'

export const RATE_LIMIT_FILTER = 'envoy.filters.http.local_ratelimit'
const TYPE = 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'
const STAT_PREFIX = 'http_local_rate_limiter'

/** The filter as it stands in a chain: it limits nothing but what routes ask it to. */
export const RATE_LIMIT_HTTP_FILTER: { readonly name: string; readonly typed_config: TypedMessage } = {
  name: RATE_LIMIT_FILTER,
  typed_config: typed(TYPE, { stat_prefix: STAT_PREFIX }),
}

/** Whether any DestinationRule of the mesh has the annotation `heddle.dev/local-rate-limit`: without one no chain has the filter. */
export function limitsRates({ snapshot, common }: Build): boolean {
  return common.of('rates are limited', [], () =>
    snapshot.list('DestinationRule').some((r) => destinationExtensions(r).rateLimit !== undefined),
  )
}

/** typed_per_filter_config of a route or weighted cluster that leads to a destination with a limit; each such place has a bucket of its own. */
export function rateLimitConfig(rule: MergedRule | undefined): Readonly<Record<string, TypedMessage>> {
  const limit = extensionOf(rule, 'rateLimit')?.value
  return limit === undefined ? {} : { [RATE_LIMIT_FILTER]: typed(TYPE, bucket(limit)) }
}

function bucket(limit: DestinationRateLimit): object {
  return defined({
    stat_prefix: STAT_PREFIX,
    token_bucket: {
      max_tokens: limit.maxTokens,
      tokens_per_fill: limit.tokensPerFill ?? limit.maxTokens,
      fill_interval: duration(limit.fillInterval),
    },
    filter_enabled: { default_value: ALWAYS },
    filter_enforced: { default_value: ALWAYS },
    status: limit.status === 429 ? undefined : { code: limit.status },
  })
}
