import type { Counter, Gauge, Histogram, MetricFamily, MetricsRegistry } from '@heddle/runtime'
import { formatAddress } from '../net/address.js'
import type { AdminViews, ClusterView, HostStats, HostView, ServerState } from './page.js'

/** What one of several processes that serve the same configuration has counted, as plain data. */
export interface WorkerShare {
  readonly state: ServerState
  readonly metrics: readonly FamilyShare[]
  /** Counters of endpoints, by cluster and address. */
  readonly hosts: Readonly<Record<string, HostStats>>
}

interface FamilyShare {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labelNames: readonly string[]
  readonly series: readonly SeriesShare[]
}

interface SeriesShare {
  readonly labels: readonly string[]
  /** Of a histogram: its sum. */
  readonly value: number
  readonly count: number
  readonly buckets: readonly { le: number; count: number }[]
}

type Metric = Counter | Gauge | Histogram

/** Gauges that say how much is under way; the others say how things are, which each process tells alike. */
const SUMMED = /_(?:cx|rq)_(?:\w+_)?active$|streams_active$|active_connections$|pending_send_bytes$/

export function shareOf(views: AdminViews): WorkerShare {
  return { state: views.state, metrics: metricsOf(views.stats), hosts: hostsOf(views.clusters) }
}

function metricsOf(registry: MetricsRegistry): FamilyShare[] {
  return [...registry.families()].map((family) => {
    const { name, help, kind, labelNames } = family
    const series = [...(family.series() as Iterable<readonly [readonly string[], Metric]>)].map(
      ([labels, metric]): SeriesShare =>
        'value' in metric
          ? { labels, value: metric.value, count: 0, buckets: [] }
          : { labels, value: metric.sum, count: metric.count, buckets: metric.buckets() },
    )
    return { name, help, kind, labelNames, series }
  })
}

function hostsOf(clusters: readonly ClusterView[]): Record<string, HostStats> {
  return Object.fromEntries(clusters.flatMap((view) => view.hosts.map((host) => [keyOf(view, host), host.stats])))
}

const keyOf = ({ cluster }: ClusterView, { endpoint }: HostView): string => `${cluster.name} ${formatAddress(endpoint.address)}`

/** The views of one process with what the others have counted: sums, and LIVE only when all of them are. */
export function viewsWithShares(views: AdminViews, others: readonly WorkerShare[]): AdminViews {
  if (others.length === 0) return views
  const states = [views.state, ...others.map(({ state }) => state)]
  const clusters = views.clusters.map((view) => ({
    ...view,
    hosts: view.hosts.map((host) => ({ ...host, stats: addHosts(host.stats, keyOf(view, host), others) })),
  }))
  const families = addFamilies([metricsOf(views.stats), ...others.map(({ metrics }) => metrics)])
  return {
    ...views,
    state: states.find((state) => state !== 'LIVE') ?? 'LIVE',
    clusters,
    stats: { ...views.stats, families: () => families },
  }
}

function addHosts(own: HostStats, key: string, others: readonly WorkerShare[]): HostStats {
  const sums = { ...own }
  for (const { hosts } of others)
    for (const [name, value] of Object.entries(hosts[key] ?? {})) sums[name] = (sums[name] ?? 0) + value
  return sums
}

function addFamilies(shares: readonly (readonly FamilyShare[])[]): Iterable<MetricFamily<Counter>> {
  const families = new Map<string, { family: FamilyShare; series: Map<string, SeriesShare> }>()
  for (const family of shares.flat()) {
    const key = [family.name, ...family.labelNames].join()
    const known = families.get(key) ?? { family, series: new Map<string, SeriesShare>() }
    families.set(key, known)
    const summed = family.kind !== 'gauge' || SUMMED.test(family.name)
    for (const one of family.series) {
      const key = one.labels.join('\0')
      const before = known.series.get(key)
      if (before === undefined) known.series.set(key, one)
      else if (summed) known.series.set(key, addSeries(before, one))
    }
  }
  return [...families.values()].map(({ family, series }) => {
    const metrics = [...series.values()].map((one) => [one.labels, metricOf(family.kind, one)] as const)
    return { ...family, labels: () => metricOf(family.kind, NONE), series: () => metrics } as MetricFamily<Counter>
  })
}

function addSeries(a: SeriesShare, b: SeriesShare): SeriesShare {
  const buckets = a.buckets.map(({ le, count }, i) => ({ le, count: count + (b.buckets[i]?.count ?? 0) }))
  return { labels: a.labels, value: a.value + b.value, count: a.count + b.count, buckets }
}

const NONE: SeriesShare = { labels: [], value: 0, count: 0, buckets: [] }

/** To be read. */
function metricOf(kind: FamilyShare['kind'], { value, count, buckets }: SeriesShare): Metric {
  if (kind === 'histogram') return { count, sum: value, observe() {}, buckets: () => buckets }
  return { value, inc() {}, set() {}, add() {}, reset() {} }
}
