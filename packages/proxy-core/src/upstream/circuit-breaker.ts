import type { CircuitBreakerLimits } from '../config/compiled.js'

/** What of a cluster is in use, against its limits. One table for all priorities' default. */
export interface ClusterResources {
  connections: number
  pending: number
  requests: number
  retries: number
  mayConnect(): boolean
  mayWait(): boolean
  mayRequest(): boolean
  mayRetry(): boolean
}

export function createClusterResources(limits: CircuitBreakerLimits): ClusterResources {
  const resources: ClusterResources = {
    connections: 0,
    pending: 0,
    requests: 0,
    retries: 0,
    mayConnect: () => resources.connections < limits.maxConnections,
    mayWait: () => resources.pending < limits.maxPendingRequests,
    mayRequest: () => resources.requests < limits.maxRequests,
    mayRetry() {
      const budget = limits.retryBudget
      if (budget === undefined) return resources.retries < limits.maxRetries
      const active = resources.requests + resources.pending
      return resources.retries < Math.max(budget.minConcurrency, Math.floor((active * budget.percent) / 100))
    },
  }
  return resources
}
