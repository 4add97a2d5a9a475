import type { OutlierConfig } from '../config/compiled.js'
import type { Endpoint } from './endpoint.js'

/** What one endpoint answered in an interval. */
export interface IntervalCount {
  readonly endpoint: Endpoint
  readonly requests: number
  readonly successes: number
}

/** Endpoints whose success rate lies more than `stdevFactor` standard deviations under the mean of all that had enough requests. */
export function successRateOutliers(counts: readonly IntervalCount[], config: OutlierConfig['successRate']): readonly Endpoint[] {
  const rated = withVolume(counts, config)
  if (rated.length === 0) return []
  const rates = rated.map(({ requests, successes }) => (100 * successes) / requests)
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length
  const threshold = mean - config.stdevFactor * Math.sqrt(variance)
  return rated.filter((_, i) => rates[i]! < threshold).map(({ endpoint }) => endpoint)
}

/** Endpoints that failed `threshold` percent of their requests or more. */
export function failurePercentageOutliers(
  counts: readonly IntervalCount[],
  config: OutlierConfig['failurePercentage'],
): readonly Endpoint[] {
  return withVolume(counts, config)
    .filter(({ requests, successes }) => (100 * (requests - successes)) / requests >= config.threshold)
    .map(({ endpoint }) => endpoint)
}

function withVolume(
  counts: readonly IntervalCount[],
  { minimumHosts, requestVolume }: { minimumHosts: number; requestVolume: number },
): readonly IntervalCount[] {
  const enough = counts.filter(({ requests }) => requests > 0 && requests >= requestVolume)
  return enough.length >= minimumHosts ? enough : []
}
