import type { Histogram } from './registry.js'

/** Envoy's default bucket bounds, in the unit of the metric (milliseconds for times). */
export const DEFAULT_BUCKET_BOUNDS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
]

/** A histogram with fixed buckets: an observation is a binary search and two additions, and allocates nothing. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const limits = Float64Array.from(bounds)
  // One more for what is above the last bound.
  const counts = new Float64Array(limits.length + 1)
  let count = 0
  let sum = 0
  return {
    get count() {
      return count
    },
    get sum() {
      return sum
    },
    observe(value) {
      let low = 0
      let high = limits.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (value <= limits[middle]!) high = middle
        else low = middle + 1
      }
      counts[low]!++
      count++
      sum += value
    },
    buckets() {
      let below = 0
      return bounds.map((le, i) => ({ le, count: (below += counts[i]!) }))
    },
  }
}
