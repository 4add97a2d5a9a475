import type { CircuitBreakers, CircuitBreakers_Thresholds } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Runtime } from '../runtime.js'
import type { CircuitBreakerLimits } from './compiled.js'
import type { Fields } from './fields.js'

const NO_LIMITS: CircuitBreakerLimits = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 }

/** The first thresholds of each priority; Envoy's defaults where there are none. The runtime's `circuit_breakers.<cluster>.<priority>.*` go before both. */
export function compileCircuitBreakers(
  fields: Fields<CircuitBreakers> | undefined,
  cluster: string,
  runtime: Runtime | undefined,
): {
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
  const [normal, high] = [found.get('DEFAULT') ?? NO_LIMITS, found.get('HIGH') ?? NO_LIMITS]
  if (runtime === undefined || runtime.layers.length === 0) return { normal, high }
  const prefix = `circuit_breakers.${cluster}`
  return { normal: overruled(normal, `${prefix}.default`, runtime), high: overruled(high, `${prefix}.high`, runtime) }
}

/** Limits that are asked for with every request: the runtime is read when it has changed, not each time. */
function overruled(limits: CircuitBreakerLimits, prefix: string, runtime: Runtime): CircuitBreakerLimits {
  const read = () => ({
    version: runtime.version,
    maxConnections: runtime.number(`${prefix}.max_connections`) ?? limits.maxConnections,
    maxPendingRequests: runtime.number(`${prefix}.max_pending_requests`) ?? limits.maxPendingRequests,
    maxRequests: runtime.number(`${prefix}.max_requests`) ?? limits.maxRequests,
    maxRetries: runtime.number(`${prefix}.max_retries`) ?? limits.maxRetries,
  })
  let last = read()
  const now = (): typeof last => {
    if (last.version !== runtime.version) last = read()
    return last
  }
  return {
    ...(limits.retryBudget && { retryBudget: limits.retryBudget }),
    get maxConnections() {
      return now().maxConnections
    },
    get maxPendingRequests() {
      return now().maxPendingRequests
    },
    get maxRequests() {
      return now().maxRequests
    },
    get maxRetries() {
      return now().maxRetries
    },
  }
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
