import { createHistogram, DEFAULT_BUCKET_BOUNDS } from './histogram.js'
import type { Counter, Gauge, Histogram, MetricFamily, MetricsRegistry } from './registry.js'

type AnyFamily = MetricFamily<Counter> | MetricFamily<Gauge> | MetricFamily<Histogram>

// Prometheus's data model: names of metrics and of labels.
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * An empty registry. Asking again for a name gives the same family. A name that is none, or that is taken by another kind or other
 * labels, throws: that is a mistake of the programmer, never of data. With `maxSeries` other labels are another family of the same name.
 */
export function createMetricsRegistry(): MetricsRegistry {
  const families = new Map<string, AnyFamily[]>()

  const family = <M>(
    kind: AnyFamily['kind'],
    name: string,
    help: string,
    labelNames: readonly string[],
    create: () => M,
    maxSeries?: number,
  ): MetricFamily<M> => {
    const namesakes = families.get(name) ?? []
    const known = namesakes.find((each) => each.labelNames.join() === labelNames.join()) ?? namesakes[0]
    if (known !== undefined) {
      const same = known.labelNames.join() === labelNames.join()
      if (known.kind !== kind || (!same && maxSeries === undefined)) {
        throw new Error(
          `metric ${name} is a ${known.kind} with labels [${known.labelNames.join()}]; it cannot be a ${kind} with [${labelNames.join()}] too`,
        )
      }
      if (same) return known as unknown as MetricFamily<M>
    }
    if (!METRIC_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no metric name`)
    for (const label of labelNames) {
      if (!LABEL_NAME.test(label) || (label === 'le' && kind === 'histogram'))
        throw new Error(`${JSON.stringify(label)} is no label name for ${name}`)
    }
    const created = createFamily(kind, name, help, labelNames, create, maxSeries)
    families.set(name, [...namesakes, created as unknown as AnyFamily])
    return created
  }
  return {
    counter: (name, help, labelNames = [], maxSeries) =>
      family('counter', name, help, labelNames, () => new OneCounter(), maxSeries),
    gauge: (name, help, labelNames = [], maxSeries) => family('gauge', name, help, labelNames, () => new OneGauge(), maxSeries),
    histogram(name, help, labelNames = [], bounds = DEFAULT_BUCKET_BOUNDS, maxSeries) {
      if (bounds.some((bound, i) => !Number.isFinite(bound) || (i > 0 && bound <= bounds[i - 1]!)))
        throw new Error(`the bounds of ${name} do not ascend`)
      return family('histogram', name, help, labelNames, () => createHistogram(bounds), maxSeries)
    },
    families: () => [...families.values()].flat(),
  }
}

const OVERFLOW = 'overflow'

// A level per label: looking up a series joins no strings.
type Level<M> = Map<string, Level<M> | M>

function createFamily<M>(
  kind: AnyFamily['kind'],
  name: string,
  help: string,
  labelNames: readonly string[],
  create: () => M,
  maxSeries: number = Number.POSITIVE_INFINITY,
): MetricFamily<M> {
  const names = Object.freeze([...labelNames])
  const root: Level<M> = new Map()
  const all: (readonly [readonly string[], M])[] = []
  const add = (values: readonly string[]): M => {
    const metric = create()
    all.push([[...values], metric])
    return metric
  }
  let only: M | undefined
  let overflow: M | undefined
  return {
    name,
    help,
    kind,
    labelNames: names,
    labels(...values) {
      if (values.length !== names.length)
        throw new Error(`${name} has ${names.length} labels (${names.join()}), not ${values.length}`)
      if (values.length === 0) return (only ??= add(values))
      let level = root
      const last = values.length - 1
      for (let i = 0; i < last; i++) {
        let next = level.get(values[i]!) as Level<M> | undefined
        if (next === undefined) {
          if (all.length >= maxSeries) return (overflow ??= add(names.map(() => OVERFLOW)))
          level.set(values[i]!, (next = new Map()))
        }
        level = next
      }
      let metric = level.get(values[last]!) as M | undefined
      if (metric !== undefined) return metric
      if (all.length >= maxSeries) return (overflow ??= add(names.map(() => OVERFLOW)))
      level.set(values[last]!, (metric = add(values)))
      return metric
    },
    series: () => all,
  }
}

// Classes: objects with getters of their own would each have a shape of its own, and counting would be slow.
class OneCounter implements Counter {
  #value = 0

  get value(): number {
    return this.#value
  }

  inc(by: number = 1): void {
    if (!(by >= 0)) throw new RangeError(`a counter only grows: ${by}`)
    this.#value += by
  }

  reset(): void {
    this.#value = 0
  }
}

class OneGauge implements Gauge {
  #value = 0

  get value(): number {
    return this.#value
  }

  set(value: number): void {
    this.#value = value
  }

  add(by: number): void {
    this.#value += by
  }
}
