import type { Histogram } from '@heddle/runtime'

/** A histogram under its dotted name. */
interface NamedHistogram {
  readonly name: string
  readonly histogram: Histogram
}

interface Bucket {
  readonly lower: number
  readonly upper: number
  readonly count: number
  /** With those below. */
  readonly upTo: number
}

// Envoy tells each number twice: of the last interval between flushes, and of all time. Here all time is the interval.

const QUANTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]

/** One line, or several for `detailed`; `shape` as histogram_buckets has it. */
export function histogramText({ name, histogram }: NamedHistogram, shape: string): string {
  if (histogram.count === 0) return `${name}: No recorded values`
  if (shape === 'cumulative' || shape === 'disjoint')
    return `${name}: ${bucketsOf(histogram)
      .map(({ upper, count, upTo }) => `B${upper}(${twice(shape === 'disjoint' ? count : upTo)})`)
      .join(' ')}`
  const summary = QUANTILES.map((p) => `P${p}(${twice(quantile(histogram, p))})`).join(' ')
  if (shape !== 'detailed') return `${name}: ${summary}`
  const totals = used(histogram)
    .map(({ lower, upper, count }) => `${lower},${upper - lower}:${count}`)
    .join(', ')
  return `${name}:\n  totals=${totals}\n  intervals=${totals}\n  summary=${summary}`
}

/** `histograms` of the JSON form. */
export function histogramsJson(all: readonly NamedHistogram[], shape: string): unknown {
  const values = ({ histogram }: NamedHistogram): object[] =>
    QUANTILES.map((p) => {
      const value = histogram.count === 0 ? null : quantile(histogram, p)
      return { cumulative: value, interval: value }
    })
  if (shape === 'cumulative' || shape === 'disjoint')
    return all.map(({ name, histogram }) => ({
      name,
      buckets: bucketsOf(histogram).map(({ upper, count, upTo }) => {
        const number = shape === 'disjoint' ? count : upTo
        return { upper_bound: upper, interval: number, cumulative: number }
      }),
    }))
  if (shape !== 'detailed')
    return {
      supported_quantiles: QUANTILES,
      computed_quantiles: all.map((one) => ({ name: one.name, values: values(one) })),
    }
  const details = all.map((one) => {
    const totals = used(one.histogram).map(({ lower, upper, count }) => ({ lower_bound: lower, width: upper - lower, count }))
    return { name: one.name, totals, intervals: totals, percentiles: values(one) }
  })
  return { supported_percentiles: QUANTILES, details }
}

const twice = (value: number): string => `${value},${value}`

function bucketsOf(histogram: Histogram): Bucket[] {
  let [lower, below] = [0, 0]
  return histogram.buckets().map(({ le, count: upTo }) => {
    const bucket = { lower, upper: le, count: upTo - below, upTo }
    lower = le
    below = upTo
    return bucket
  })
}

const used = (histogram: Histogram): Bucket[] => bucketsOf(histogram).filter(({ count }) => count > 0)

/** By linear interpolation inside the bucket; what is above the last bound is at it. */
function quantile(histogram: Histogram, percent: number): number {
  const rank = (percent / 100) * histogram.count
  const buckets = bucketsOf(histogram)
  const found = buckets.find(({ count, upTo }) => count > 0 && upTo >= rank)
  if (found === undefined) return buckets.at(-1)?.upper ?? 0
  const { lower, upper, count, upTo } = found
  return Math.round((lower + ((rank - (upTo - count)) / count) * (upper - lower)) * 100) / 100
}
