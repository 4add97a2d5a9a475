import type { CircuitBreakers, CircuitBreakers_Thresholds } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { CircuitBreakerLimits } from './compiled.js'
import type { Fields } from './fields.js'

const NO_LIMITS: CircuitBreakerLimits = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 }

/** The first thresholds of each priority; Envoy's defaults where there are none. */
export function compileCircuitBreakers(fields: Fields<CircuitBreakers> | undefined): {
  readonly normal: CircuitBreakerLimits
  readonly high: CircuitBreakerLimits
} {
  const found = new Map<string, CircuitBreakerLimits>()
  for (const threshold of fields?.messages('thresholds') ?? []) {
    const priority = threshold.choice('priority', ['DEFAULT', 'HIGH'], 'DEFAULT')
    const limits = compileThresholds(threshold)
    if (!found.has(priority)) found.set(priority, limits)
  }
  fields?.done()
  return { normal: found.get('DEFAULT') ?? NO_LIMITS, high: found.get('HIGH') ?? NO_LIMITS }
}

function compileThresholds(threshold: Fields<CircuitBreakers_Thresholds>): CircuitBreakerLimits {
  const budget = threshold.message('retry_budget')
  const percent = budget?.message('budget_percent')
  const limits: CircuitBreakerLimits = {
    maxConnections: threshold.number('max_connections', 1024),
    maxPendingRequests: threshold.number('max_pending_requests', 1024),
    maxRequests: threshold.number('max_requests', 1024),
    maxRetries: threshold.number('max_retries', 3),
    ...(budget && {
      retryBudget: { percent: percent?.number('value') ?? 20, minConcurrency: budget.number('min_retry_concurrency', 3) },
    }),
  }
  percent?.done()
  budget?.done()
  threshold.done({ track_remaining: 'names statistics that are not kept' })
  return limits
}
