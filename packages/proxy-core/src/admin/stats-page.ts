import { type Counter, type Gauge, type Histogram, type MetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { compileRegex } from '../matcher/regex.js'
import { dottedName } from '../observe/stat-name.js'
import { histogramsJson, histogramText } from './histogram-print.js'
import { type Answer, json, type Page, text, wantsJson } from './page.js'

type Metric = Counter | Gauge | Histogram

/** Values that a parameter may have; anything else is refused, as Envoy words it. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  format: ['html', 'active-html', 'json', 'prometheus', 'text'],
  histogram_buckets: ['cumulative', 'disjoint', 'detailed', 'summary', 'prometheusnative'],
  hidden: ['include', 'only', 'exclude'],
}

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

const TYPES = ['All', 'Counters', 'Gauges', 'Histograms', 'TextReadouts']
const KINDS: Readonly<Record<string, Family['kind']>> = { Counters: 'counter', Gauges: 'gauge', Histograms: 'histogram' }

function wantedOf(query: URLSearchParams): Wanted | Answer {
  const [filter, type] = [query.get('filter'), query.get('type') ?? 'All']
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = query.get(name)
    if (value !== null && value !== 'none' && !choices.includes(value))
      return text(`usage: /stats?${name}=(${choices.join('|')})\n${name === 'histogram_buckets' ? '' : '\n'}`, 400)
  }
  if (query.get('format')?.endsWith('html'))
    return text('HTML output was disabled by building with --define=admin_html=disabled', 400)
  if (!TYPES.includes(type)) return text('invalid &type= param', 400)
  const regex = filter === null ? undefined : compileRegex(`.*(?:${filter}).*`, 'filter')
  if (regex?.ok === false) return text(`Invalid re2 regex: ${regex.diagnostics[0]?.message ?? ''}\n`, 400)
  return {
    // No statistic is hidden, and none is a text.
    name: (name) => query.get('hidden') !== 'only' && (regex === undefined || regex.value.matchesAll(name)),
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
  help: 'print server stats',
  parameters: {
    usedonly: 'only what has been used since the start',
    filter: 'only names that this RE2 matches',
    format: 'text, json or prometheus',
    type: TYPES.join(', '),
    histogram_buckets: 'summary, cumulative, disjoint or detailed',
  },
  answer(query, views) {
    if (query.get('format') === 'prometheus') return prometheus(query, views.stats)
    const wanted = wantedOf(query)
    if ('status' in wanted) return wanted
    const found = [...collect(views.stats, wanted)]
    found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    const values = found.filter((stat) => stat.value !== undefined)
    const histograms = found.flatMap(({ name, histogram }) => (histogram === undefined ? [] : [{ name, histogram }]))
    const shape = query.get('histogram_buckets') ?? 'summary'
    if (!wantsJson(query))
      return text(
        [...values.map(({ name, value }) => `${name}: ${value}`), ...histograms.map((one) => histogramText(one, shape))]
          .map((line) => `${line}\n`)
          .join(''),
      )
    const inJson = [...values, ...(histograms.length > 0 ? [{ histograms: histogramsJson(histograms, shape) }] : [])]
    return { ...json({}), body: JSON.stringify({ stats: inJson }) }
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
