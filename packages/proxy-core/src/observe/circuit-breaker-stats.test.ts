import { createMetricsRegistry } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { createClusterResources } from '../upstream/circuit-breaker.js'
import { measureCircuitBreakers } from './circuit-breaker-stats.js'

it('circuit breakers are open where their limit is reached', () => {
  const registry = createMetricsRegistry()
  const resources = createClusterResources({ maxConnections: 2, maxPendingRequests: 1, maxRequests: 1, maxRetries: 1 })
  const open = (): string[] => {
    measureCircuitBreakers(registry, 'web', 'high', resources)
    return [...registry.families()]
      .filter((family) => [...family.series()].some(([, metric]) => (metric as { value: number }).value === 1))
      .map(({ name }) => name.replace('envoy_cluster_circuit_breakers_high_', ''))
  }
  expect(open()).toEqual([])
  resources.connections = 1
  resources.requests = 1
  expect(open()).toEqual(['rq_open'])
  Object.assign(resources, { connections: 2, pending: 1, requests: 0, retries: 1 })
  expect(open()).toEqual(['cx_open', 'rq_pending_open', 'rq_retry_open'])
})
