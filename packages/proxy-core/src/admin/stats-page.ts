import { type Counter, type Gauge, type Histogram, type MetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { compileRegex } from '../matcher/regex.js'
import { dottedName } from '../observe/stat-name.js'
import { type Answer, json, type Page, text, wantsJson } from './page.js'

type Metric = Counter | Gauge | Histogram

interface Stat {
  readonly name: string
  /** Of a counter or gauge. */
  readonly value?: number
  readonly histogram?: Histogram
}

/** What a query asks for, by dotted name and kind. */
interface Wanted {
  name(name: string): boolean
  kind(kind: Family['kind']): boolean
  readonly usedOnly: boolean
}

type Family = ReturnType<MetricsRegistry['families']> extends Iterable<infer F> ? F : never

const KINDS: Readonly<Record<string, Family['kind']>> = { Counters: 'counter', Gauges: 'gauge', Histograms: 'histogram' }

function wantedOf(query: URLSearchParams): Wanted | Answer {
  const [filter, type] = [query.get('filter'), query.get('type') ?? 'All']
  if (type !== 'All' && KINDS[type] === undefined)
    return text(`invalid &type="${type}", try All, Counters, Gauges, Histograms\n`, 404)
  const regex = filter === null ? undefined : compileRegex(`.*(?:${filter}).*`, 'filter')
  if (regex?.ok === false) return text(`Invalid re2 regex: ${regex.diagnostics[0]?.message ?? ''}\n`, 400)
  return {
    name: (name) => regex === undefined || regex.value.matchesAll(name),
    kind: (kind) => type === 'All' || KINDS[type] === kind,
    usedOnly: query.has('usedonly'),
  }
}

function prometheus(query: URLSearchParams, registry: MetricsRegistry): Answer {
  const wanted = wantedOf(query)
  return 'status' in wanted ? wanted : text(renderPrometheus({ ...registry, families: () => some(registry, wanted) }))
}

/** The families with those of their series that are wanted. */
function* some(registry: MetricsRegistry, wanted: Wanted): Generator<Family> {
  for (const family of registry.families()) {
    if (!wanted.kind(family.kind)) continue
    const series = [...(family.series() as Iterable<readonly [readonly string[], Metric]>)].filter(
      ([values, metric]) =>
        wanted.name(dottedName(family.name, family.labelNames, values)) && (!wanted.usedOnly || isUsed(metric)),
    )
    yield { ...family, series: () => series } as Family
  }
}

export const statsPrometheus: Page = {
  path: '/stats/prometheus',
  help: 'print server stats in prometheus format',
  answer: (query, views) => prometheus(query, views.stats),
}

export const stats: Page = {
  path: '/stats',
  help: 'print server stats: ?filter=regex&usedonly&format=text|json|prometheus',
  answer(query, views) {
    if (query.get('format') === 'prometheus') return prometheus(query, views.stats)
    const wanted = wantedOf(query)
    if ('status' in wanted) return wanted
    const found = [...collect(views.stats, wanted)]
    found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    return wantsJson(query) ? json({ stats: found.map(inJson) }) : text(found.map(inText).join(''))
  },
}

function* collect(registry: MetricsRegistry, wanted: Wanted): Generator<Stat> {
  for (const family of some(registry, wanted)) {
    for (const [values, metric] of family.series()) {
      const name = dottedName(family.name, family.labelNames, values)
      if ('value' in metric) yield { name, value: metric.value }
      else yield { name, histogram: metric }
    }
  }
}

const isUsed = (metric: Metric): boolean => ('value' in metric ? metric.value !== 0 : metric.count > 0)

const QUANTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]

function inText({ name, value, histogram }: Stat): string {
  if (histogram === undefined) return `${name}: ${value}\n`
  if (histogram.count === 0) return `${name}: No recorded values\n`
  const parts = QUANTILES.map((p) => `P${p}(${round(quantile(histogram, p / 100))})`)
  return `${name}: ${parts.join(' ')}\n`
}

function inJson({ name, value, histogram }: Stat): object {
  if (histogram === undefined) return { name, value }
  const { count, sum } = histogram
  return {
    name,
    count,
    sum,
    quantiles: Object.fromEntries(QUANTILES.map((p) => [`p${p}`, count === 0 ? null : round(quantile(histogram, p / 100))])),
  }
}

/** By linear interpolation inside the bucket; the last, endless one gives its lower bound. */
function quantile(histogram: Histogram, q: number): number {
  const rank = q * histogram.count
  let below = 0
  let from = 0
  for (const { le, count } of histogram.buckets()) {
    if (count >= rank && count > below)
      return le === Number.POSITIVE_INFINITY ? from : from + ((rank - below) / (count - below)) * (le - from)
    below = count
    from = le
  }
  return from
}

const round = (value: number): number => Math.round(value * 100) / 100
