import type { Clock, Random } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import type { ClusterStats } from '../observe/stats.js'
import type { PriorityHealth } from './balancers/priority-load.js'
import type { Endpoint } from './endpoint.js'
import type { ActiveHealth } from './health-check/health-check.js'
import { createHealthMonitor, type HealthMonitor } from './health-check/monitor.js'
import type { Probe } from './health-check/session.js'
import { createOutlierDetector, type OutlierDetector } from './outlier.js'

export interface ClusterHealthOptions {
  readonly compiled: CompiledCluster
  readonly stats: ClusterStats
  readonly clock: Clock
  readonly random: Random
  probe(endpoint: () => Endpoint): Probe
  hadTraffic(): boolean
  /** An endpoint may have become healthy, or no longer be. */
  onChange(endpoint: Endpoint): void
}

/** What a cluster knows of its endpoints' health beside what EDS says: outlier detection and active checks. */
export interface ClusterHealth {
  readonly outlier: OutlierDetector | undefined
  /** Changes with every answer below that may change. */
  readonly epoch: number
  /** Of active checks; undefined: it is not checked. */
  active(endpoint: Endpoint): ActiveHealth | undefined
  /** Neither ejected nor failed. */
  isHealthy(endpoint: Endpoint): boolean
  isDegraded(endpoint: Endpoint): boolean
  isExcluded(endpoint: Endpoint): boolean
  /** It has said that it must not be used. */
  failNow(endpoint: Endpoint): void
  /** Every endpoint has been checked once, or none ever will be. */
  readonly settled: boolean
  setEndpoints(endpoints: readonly Endpoint[]): void
  close(): void
}

export function createClusterHealth(options: ClusterHealthOptions): ClusterHealth {
  const { compiled, stats } = options
  let endpoints: readonly Endpoint[] = []
  let epoch = 0
  const changed = (endpoint: Endpoint): void => {
    epoch++
    count()
    options.onChange(endpoint)
  }
  const outlier = compiled.outlier && createOutlier(options, changed)
  const monitor = compiled.healthCheck && createMonitor(options, changed, () => outlier)
  const active = (endpoint: Endpoint): ActiveHealth | undefined => monitor?.healthOf(endpoint)
  const health: ClusterHealth = {
    outlier,
    get epoch() {
      return epoch
    },
    active,
    isHealthy: (endpoint) => outlier?.isEjected(endpoint) !== true && active(endpoint)?.failed !== true,
    isDegraded: (endpoint) => active(endpoint)?.degraded === true,
    isExcluded(endpoint) {
      const found = active(endpoint)
      return found !== undefined && (found.excluded || (found.pending && compiled.ignoreNewHostsUntilFirstCheck))
    },
    failNow: (endpoint) => monitor?.failNow(endpoint),
    get settled() {
      return monitor === undefined || monitor.settled
    },
    setEndpoints(next) {
      endpoints = next
      outlier?.setEndpoints(next)
      monitor?.setEndpoints(next)
      epoch++
      count()
    },
    close() {
      outlier?.close()
      monitor?.close()
    },
  }
  let before: typeof endpoints | undefined
  const count = (): void => {
    let [healthy, degraded, excluded] = [0, 0, 0]
    for (const endpoint of endpoints) {
      if (health.isExcluded(endpoint)) excluded++
      if (endpoint.health === 'UNHEALTHY' || endpoint.health === 'DRAINING' || !health.isHealthy(endpoint)) continue
      if (endpoint.health === 'DEGRADED' || health.isDegraded(endpoint)) degraded++
      else healthy++
    }
    if (before !== endpoints) stats.membershipChange.inc()
    before = endpoints
    stats.membershipTotal.set(endpoints.length)
    stats.membershipHealthy.set(healthy)
    stats.membershipDegraded.set(degraded)
    stats.membershipExcluded.set(excluded)
  }
  return health
}

function createOutlier(
  { compiled, stats, clock, random }: ClusterHealthOptions,
  changed: (e: Endpoint) => void,
): OutlierDetector {
  return createOutlierDetector(compiled.outlier!, {
    clock,
    random,
    onDetected: (_, why) => stats.outlierDetected(why),
    onOverflow: () => stats.outlierOverflow.inc(),
    onChange(endpoint, change, why) {
      stats.outlierEjectionsActive.add(change === 'ejected' ? 1 : -1)
      if (change === 'ejected' && why !== 'interval') stats.outlierEnforced(why)
      changed(endpoint)
    },
  })
}

function createMonitor(
  { compiled, stats, clock, random, probe, hadTraffic }: ClusterHealthOptions,
  changed: (endpoint: Endpoint) => void,
  outlier: () => OutlierDetector | undefined,
): HealthMonitor {
  const monitor: HealthMonitor = createHealthMonitor(compiled.healthCheck!, {
    ...{ cluster: compiled.name, clock, random, stats: stats.healthCheck, probe, hadTraffic },
    onChange(endpoint) {
      // successful_active_health_check_uneject_host: who passes a check is let back in.
      if (compiled.outlier?.unejectOnActiveSuccess === true && monitor.healthOf(endpoint)?.failed === false)
        outlier()?.uneject(endpoint)
      changed(endpoint)
    },
  })
  return monitor
}

/** How many endpoints of each priority there are, by health. */
export function priorityHealth(endpoints: readonly Endpoint[], health: ClusterHealth): readonly PriorityHealth[] {
  const out: { total: number; healthy: number; degraded: number }[] = []
  for (const endpoint of endpoints) {
    while (out.length <= endpoint.priority) out.push({ total: 0, healthy: 0, degraded: 0 })
    const size = out[endpoint.priority]!
    const usable = endpoint.health !== 'UNHEALTHY' && endpoint.health !== 'DRAINING' && health.isHealthy(endpoint)
    if (usable || !health.isExcluded(endpoint)) size.total++
    if (!usable) continue
    if (endpoint.health === 'DEGRADED' || health.isDegraded(endpoint)) size.degraded++
    else size.healthy++
  }
  return out
}

/** envoy.config.core.v3.HealthStatus, as far as it tells healthy, degraded and unhealthy apart. */
export function healthStatusOf(endpoint: Endpoint, health: ClusterHealth): string {
  if (endpoint.health === 'UNHEALTHY' || endpoint.health === 'DRAINING') return endpoint.health
  if (!health.isHealthy(endpoint)) return 'UNHEALTHY'
  return health.isDegraded(endpoint) ? 'DEGRADED' : endpoint.health
}
