/** A number that only grows. */
export interface Counter {
  readonly value: number
  inc(by?: number): void
  /** Back to 0, as after a restart: for operators, never for programs. */
  reset(): void
}

/** A number that goes both ways. */
export interface Gauge {
  readonly value: number
  set(value: number): void
  add(by: number): void
}

/** Counts of observations by size. */
export interface Histogram {
  readonly count: number
  readonly sum: number
  observe(value: number): void
  /** Cumulative counts at the family's bucket bounds. */
  buckets(): readonly { le: number; count: number }[]
}

/** All series of one metric name. Label values are given in the order of the label names; the same values give the same object. */
export interface MetricFamily<M> {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labelNames: readonly string[]
  labels(...values: readonly string[]): M
  series(): Iterable<readonly [labels: readonly string[], metric: M]>
}

/**
 * Metrics of one process or of one part of it. Names and labels are Prometheus's. `maxSeries`: others choose the labels. New values
 * beyond so many series share one whose labels all say `overflow`, and several families may have one name, each with labels of its own;
 * default: no limit, and one family.
 */
export interface MetricsRegistry {
  counter(name: string, help: string, labelNames?: readonly string[], maxSeries?: number): MetricFamily<Counter>
  gauge(name: string, help: string, labelNames?: readonly string[], maxSeries?: number): MetricFamily<Gauge>
  /** `bounds`: upper bucket bounds, ascending, without +Inf. */
  histogram(
    name: string,
    help: string,
    labelNames?: readonly string[],
    bounds?: readonly number[],
    maxSeries?: number,
  ): MetricFamily<Histogram>
  families(): Iterable<MetricFamily<Counter> | MetricFamily<Gauge> | MetricFamily<Histogram>>
}
