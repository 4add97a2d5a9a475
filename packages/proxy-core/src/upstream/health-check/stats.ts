import type { Counter, Gauge } from '@heddle/runtime'

/** `cluster.<name>.health_check.*`. */
export interface HealthCheckStats {
  readonly attempt: Counter
  readonly success: Counter
  readonly failure: Counter
  readonly networkFailure: Counter
  readonly passiveFailure: Counter
  readonly verifyCluster: Counter
  readonly healthy: Gauge
  readonly degraded: Gauge
}

/** Made when a cluster turns out to be checked; others have none. */
export function createHealthCheckStats(scope: { counter(name: string): Counter; gauge(name: string): Gauge }): HealthCheckStats {
  return {
    attempt: scope.counter('health_check_attempt'),
    success: scope.counter('health_check_success'),
    failure: scope.counter('health_check_failure'),
    networkFailure: scope.counter('health_check_network_failure'),
    passiveFailure: scope.counter('health_check_passive_failure'),
    verifyCluster: scope.counter('health_check_verify_cluster'),
    healthy: scope.gauge('health_check_healthy'),
    degraded: scope.gauge('health_check_degraded'),
  }
}
