import type { OutlierDetection } from '@heddle/config-model'
import { defined, duration } from '../message.js'
import type { ClusterDraft } from './draft.js'

/**
 * DestinationRule outlierDetection. Ejection by success rate is always off; a counter brings its `enforcing_` pair: 100, or 0 for a counter of 0.
 * @param panics where endpoints that are not ready are always sent, a threshold would have them called
 */
export function applyOutlierDetection(draft: ClusterDraft, given: OutlierDetection | undefined, panics: boolean): void {
  if (given === undefined) return
  const { consecutive5xxErrors: errors, consecutiveGatewayErrors: gateway } = given
  draft.cluster.outlier_detection = defined({
    enforcing_success_rate: 0,
    consecutive_5xx: errors,
    enforcing_consecutive_5xx: enforcing(errors),
    consecutive_gateway_failure: gateway,
    enforcing_consecutive_gateway_failure: enforcing(gateway),
    interval: given.interval === undefined ? undefined : duration(given.interval),
    base_ejection_time: given.baseEjectionTime === undefined ? undefined : duration(given.baseEjectionTime),
    max_ejection_percent:
      given.maxEjectionPercent !== undefined && given.maxEjectionPercent > 0 ? given.maxEjectionPercent : undefined,
    ...(given.splitExternalLocalOriginErrors === true
      ? {
          split_external_local_origin_errors: true,
          consecutive_local_origin_failure: positive(given.consecutiveLocalOriginFailures),
          enforcing_consecutive_local_origin_failure:
            positive(given.consecutiveLocalOriginFailures) === undefined ? undefined : 100,
          enforcing_local_origin_success_rate: 0,
        }
      : {}),
  })
  const panic = panics ? (given.minHealthPercent ?? 0) : 0
  draft.cluster.common_lb_config = {
    ...draft.cluster.common_lb_config,
    healthy_panic_threshold: panic > 0 ? { value: panic } : {},
  }
}

function enforcing(count: number | undefined): number | undefined {
  return count === undefined ? undefined : count > 0 ? 100 : 0
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}
