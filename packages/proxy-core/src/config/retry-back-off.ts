import type { RetryPolicy_RateLimitedRetryBackOff, RetryPolicy_ResetHeader } from '@heddle/xds-types/envoy/config/route/v3'
import type { HeaderMap } from '../http/header-map.js'
import { asciiLower } from '../matcher/ascii.js'
import type { RetryPolicy } from '../route/table.js'
import type { Fields } from './fields.js'

const DEFAULT_MAX_MS = 300_000

interface ResetHeader {
  readonly name: string
  readonly isTimestamp: boolean
}

/** rate_limited_retry_back_off: the first of its headers that is a number says when; past max_interval the usual back-off holds. */
export function compileRateLimited(
  fields: Fields<RetryPolicy_RateLimitedRetryBackOff> | undefined,
): RetryPolicy['rateLimitedDelayMs'] {
  if (fields === undefined) return undefined
  const headers = fields.messages('reset_headers').map(compileResetHeader)
  const maxMs = fields.durationMs('max_interval', DEFAULT_MAX_MS)
  fields.done()
  if (headers.length === 0) fields.problem('needs at least one header.', 'reset_headers')
  return (response, now) => {
    for (const header of headers) {
      const delay = delayOf(header, response, now)
      if (delay !== undefined && delay <= maxMs) return delay
    }
    return undefined
  }
}

function compileResetHeader(fields: Fields<RetryPolicy_ResetHeader>): ResetHeader {
  const header: ResetHeader = {
    name: asciiLower(fields.string('name')),
    isTimestamp: fields.choice('format', ['SECONDS', 'UNIX_TIMESTAMP'], 'SECONDS') === 'UNIX_TIMESTAMP',
  }
  fields.done()
  return header
}

function delayOf({ name, isTimestamp }: ResetHeader, headers: HeaderMap, now: number): number | undefined {
  const value = headers.get(name)
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined
  const ms = Number(value) * 1000
  const delay = isTimestamp ? ms - now : ms
  // A wait that is over is none: the usual back-off holds.
  return delay > 0 ? delay : undefined
}
