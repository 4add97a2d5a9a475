import type { OutlierDetection } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { OutlierConfig } from './compiled.js'
import type { Fields } from './fields.js'

/** Defaults are Envoy's. */
export function compileOutlierDetection(fields: Fields<OutlierDetection> | undefined): OutlierConfig | undefined {
  if (fields === undefined) return undefined
  const baseEjectionTimeMs = fields.durationMs('base_ejection_time', 30_000)
  const config: OutlierConfig = {
    consecutive5xx: fields.number('consecutive_5xx', 5),
    enforcingConsecutive5xx: fields.number('enforcing_consecutive_5xx', 100),
    consecutiveGatewayFailure: fields.number('consecutive_gateway_failure', 5),
    enforcingConsecutiveGatewayFailure: fields.number('enforcing_consecutive_gateway_failure', 0),
    splitExternalLocalOriginErrors: fields.boolean('split_external_local_origin_errors'),
    consecutiveLocalOriginFailure: fields.number('consecutive_local_origin_failure', 5),
    enforcingConsecutiveLocalOriginFailure: fields.number('enforcing_consecutive_local_origin_failure', 100),
    intervalMs: fields.durationMs('interval', 10_000),
    baseEjectionTimeMs,
    maxEjectionTimeMs: fields.durationMs('max_ejection_time', Math.max(300_000, baseEjectionTimeMs)),
    maxEjectionTimeJitterMs: fields.durationMs('max_ejection_time_jitter', 0),
    maxEjectionPercent: fields.number('max_ejection_percent', 10),
    alwaysEjectOneHost: fields.boolean('always_eject_one_host'),
    unejectOnActiveSuccess: fields.boolean('successful_active_health_check_uneject_host', true),
    successRate: {
      enforcing: fields.number('enforcing_success_rate', 100),
      minimumHosts: fields.number('success_rate_minimum_hosts', 5),
      requestVolume: fields.number('success_rate_request_volume', 100),
      stdevFactor: fields.number('success_rate_stdev_factor', 1900) / 1000,
    },
    failurePercentage: {
      enforcing: fields.number('enforcing_failure_percentage', 0),
      threshold: fields.number('failure_percentage_threshold', 85),
      minimumHosts: fields.number('failure_percentage_minimum_hosts', 5),
      requestVolume: fields.number('failure_percentage_request_volume', 50),
    },
  }
  if (config.maxEjectionTimeMs < baseEjectionTimeMs) fields.problem('cannot be below base_ejection_time.', 'max_ejection_time')
  fields.done({
    enforcing_local_origin_success_rate: 'errors of local origin are counted with the rest',
    enforcing_failure_percentage_local_origin: 'errors of local origin are counted with the rest',
  })
  return config
}
