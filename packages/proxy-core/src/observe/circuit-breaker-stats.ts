import type { Gauge, MetricsRegistry } from '@heddle/runtime'
import type { ClusterResources } from '../upstream/circuit-breaker.js'
import { CLUSTER_LABEL } from './labels.js'

const OPEN: readonly (readonly [name: string, open: (resources: ClusterResources) => boolean])[] = [
  ['cx_open', (resources) => !resources.mayConnect()],
  // Pools have no limit here.
  ['cx_pool_open', () => false],
  ['rq_open', (resources) => !resources.mayRequest()],
  ['rq_pending_open', (resources) => !resources.mayWait()],
  ['rq_retry_open', (resources) => !resources.mayRetry()],
]

/** `cluster.<name>.circuit_breakers.<priority>.*_open` as they are now: 1 where a limit is reached. */
export function measureCircuitBreakers(
  registry: MetricsRegistry,
  clusterName: string,
  priority: 'default' | 'high',
  resources: ClusterResources,
): void {
  for (const [name, open] of OPEN) {
    const family = registry.gauge(`envoy_cluster_circuit_breakers_${priority}_${name}`, "Envoy's cluster statistics.", [
      CLUSTER_LABEL,
    ])
    const gauge: Gauge = family.labels(clusterName)
    gauge.set(open(resources) ? 1 : 0)
  }
}
