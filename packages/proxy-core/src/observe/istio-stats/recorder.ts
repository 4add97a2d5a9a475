import type { FilterDeps } from '../../http/filter.js'
import type { AccessLogEntry } from '../access-log.js'
import { ENVOY_BUCKETS } from '../stats.js'
import { type StatsConfig, UNCHANGED } from './config.js'
import type { Expression, ExpressionNode } from './expression.js'
import { createKnownByValues } from './known-by-values.js'
import { HELP, type StandardMetric } from './metrics.js'

/** Of each metric: Host, headers and what a peer says of itself are label values that clients choose (CVE-2025-43915). */
const MAX_SERIES = 10_000

/** Counts by an amount, or observes it. */
type Add = (amount: number) => void
/** One of each metric, in the order in which they were asked for. */
export type Series = readonly Add[]

/** The series that belong to the values of the labels, which the caller gives away; the same values, the same series. */
export type FindSeries = (values: string[], entry: AccessLogEntry) => Series

const UNTOLD = 'unknown'
const dropped: Add = () => {}

type Family = (...values: readonly string[]) => Add

/** Some of the standard metrics, whose labels have their values together. What is over 10,000 series of one is counted as `overflow`. */
export function createRecorder(
  { changes }: StatsConfig,
  { stats, node }: Pick<FilterDeps, 'stats' | 'node'>,
  metrics: readonly StandardMetric[],
  labels: readonly string[],
): FindSeries {
  const extra: Expression[] = []
  const families = metrics.map((metric) => {
    const change = changes.get(metric) ?? UNCHANGED
    if (change.drop) return undefined
    const columns: number[] = []
    const names: string[] = []
    const put = (name: string, column: number): void => {
      names.push(labelName(name))
      columns.push(column)
    }
    const putExpression = (name: string, value: Expression): void => put(name, labels.length + extra.push(value) - 1)
    for (const [column, label] of labels.entries()) {
      if (!change.labels.has(label)) put(label, column)
      const value = change.labels.get(label)
      if (value !== undefined) putExpression(label, value)
    }
    for (const [label, value] of change.labels) if (value !== undefined && !labels.includes(label)) putExpression(label, value)
    return { columns, family: familyOf(stats, metric, names) }
  })
  const unused = [...labels.keys()].filter((i) => !families.some((each) => each?.columns.includes(i)))
  // What happens once has the same labels in all metrics: they are looked up at once.
  const known = createKnownByValues<Series>(MAX_SERIES)
  return (values, entry) => {
    for (const i of unused) values[i] = ''
    for (const read of extra) values.push(read(entry, node) ?? UNTOLD)
    let series = known.get(values)
    if (series === undefined) {
      series = families.map((each) => each?.family(...each.columns.map((i) => values[i]!)) ?? dropped)
      known.keep(values, series)
    }
    return series
  }
}

function familyOf(stats: FilterDeps['stats'], metric: StandardMetric, labels: readonly string[]): Family {
  const name = `istio_${metric}`
  if (metric.endsWith('_total')) return counted(stats.counter(name, HELP[metric], labels, MAX_SERIES))
  return observed(stats.histogram(name, HELP[metric], labels, ENVOY_BUCKETS, MAX_SERIES))
}

type Counters = ReturnType<FilterDeps['stats']['counter']>
type Histograms = ReturnType<FilterDeps['stats']['histogram']>

function counted(family: Counters): Family {
  return (...values) => {
    const counter = family.labels(...values)
    return (amount) => counter.inc(amount)
  }
}

function observed(family: Histograms): Family {
  return (...values) => {
    const histogram = family.labels(...values)
    return (amount) => histogram.observe(amount)
  }
}

/** The user's own metrics: each has the labels that were defined for it, and what its expression comes to once a request or connection is over. */
export function createCustomMetrics(
  { definitions, changes }: StatsConfig,
  { stats, node }: Pick<FilterDeps, 'stats' | 'node'>,
): (entry: AccessLogEntry) => void {
  const all = definitions.map(({ name, kind, value }) => {
    const labels = [...(changes.get(name) ?? UNCHANGED).labels].filter(
      (pair): pair is [string, Expression] => pair[1] !== undefined,
    )
    const names = labels.map(([label]) => labelName(label))
    const [full, help] = [`istio_${name.replace(/[^a-zA-Z0-9_:]/g, '_')}`, 'A metric that was defined by stats.PluginConfig.']
    const add: Family =
      kind === 'counter'
        ? counted(stats.counter(full, help, names, MAX_SERIES))
        : kind === 'histogram'
          ? observed(stats.histogram(full, help, names, ENVOY_BUCKETS, MAX_SERIES))
          : set(stats.gauge(full, help, names, MAX_SERIES))
    return { value, labels: labels.map(([, read]) => read), add }
  })
  return (entry) => {
    for (const { value, labels, add } of all)
      add(...labels.map((read) => read(entry, node) ?? UNTOLD))(amountOf(value(entry, node)))
  }
}

function set(family: ReturnType<FilterDeps['stats']['gauge']>): Family {
  return (...values) => {
    const gauge = family.labels(...values)
    return (amount) => gauge.set(amount)
  }
}

/** What Prometheus does not take in names of labels is `_` there, as in Envoy; `le` is its own. */
function labelName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d|$)/, '_')
  return clean === 'le' ? 'le_' : clean
}

/** As Istio reads it: whole numbers from 0 on; anything else counts nothing. */
function amountOf(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
}

/** `istio_build`: which version of Istio the proxy says that it is. */
export function recordBuild(stats: FilterDeps['stats'], { metadata }: ExpressionNode): void {
  const version = metadata['ISTIO_VERSION']
  stats
    .gauge('istio_build', 'Version of Istio that the proxy belongs to.', ['component', 'tag'])
    .labels('proxy', typeof version === 'string' && version !== '' ? version : UNTOLD)
    .set(1)
}
