import type { Counter, Gauge, Histogram, MetricFamily, MetricsRegistry } from './registry.js'

/** The content type of {@link renderPrometheus}. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** All series of a registry in Prometheus's text format 0.0.4, those of a name together. Families without a series are left out. */
export function renderPrometheus(registry: MetricsRegistry): string {
  const byName = new Map<string, string[]>()
  for (const family of registry.families()) {
    const samples: string[] = []
    if (isHistogram(family)) for (const [values, metric] of family.series()) writeHistogram(samples, family, values, metric)
    else
      for (const [values, metric] of family.series())
        samples.push(`${family.name}${labelSet(family.labelNames, values)} ${number(metric.value)}`)
    if (samples.length === 0) continue
    let lines = byName.get(family.name)
    if (lines === undefined) {
      lines = [`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.kind}`]
      byName.set(family.name, lines)
    }
    for (const sample of samples) lines.push(sample)
  }
  return [...byName.values()].map((lines) => `${lines.join('\n')}\n`).join('')
}

function isHistogram(
  family: MetricFamily<Counter> | MetricFamily<Gauge> | MetricFamily<Histogram>,
): family is MetricFamily<Histogram> {
  return family.kind === 'histogram'
}

function writeHistogram(lines: string[], family: MetricFamily<Histogram>, values: readonly string[], metric: Histogram): void {
  const { name, labelNames } = family
  const names = [...labelNames, 'le']
  for (const { le, count } of metric.buckets()) lines.push(`${name}_bucket${labelSet(names, [...values, number(le)])} ${count}`)
  lines.push(`${name}_bucket${labelSet(names, [...values, '+Inf'])} ${metric.count}`)
  lines.push(`${name}_sum${labelSet(labelNames, values)} ${number(metric.sum)}`)
  lines.push(`${name}_count${labelSet(labelNames, values)} ${metric.count}`)
}

function labelSet(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  return `{${names.map((name, i) => `${name}="${escapeLabel(values[i]!)}"`).join(',')}}`
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
