import type { Histogram } from './registry.js'

/** Envoy's default bucket bounds, in the unit of the metric (milliseconds for times). */
export const DEFAULT_BUCKET_BOUNDS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
]

/** A histogram with fixed buckets: an observation is a binary search and two additions, and allocates nothing. */
export function createHistogram(bounds: readonly number[]): Histogram {
  return new BucketHistogram(bounds)
}

class BucketHistogram implements Histogram {
  readonly #bounds: readonly number[]
  readonly #limits: Float64Array
  /** One more for what is above the last bound. */
  readonly #counts: Float64Array
  /** Count and sum: a field would get a new object with each number. */
  readonly #totals = new Float64Array(2)

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#limits = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length + 1)
  }

  get count(): number {
    return this.#totals[0]!
  }

  get sum(): number {
    return this.#totals[1]!
  }

  observe(value: number): void {
    const limits = this.#limits
    let low = 0
    let high = limits.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (value <= limits[middle]!) high = middle
      else low = middle + 1
    }
    this.#counts[low]!++
    this.#totals[0]!++
    this.#totals[1]! += value
  }

  buckets(): readonly { le: number; count: number }[] {
    let below = 0
    return this.#bounds.map((le, i) => ({ le, count: (below += this.#counts[i]!) }))
  }
}
