import { type Diagnostic, ok } from '@heddle/runtime'
import type { MetricConfig, MetricDefinition, PluginConfig } from '@heddle/xds-types/stats'
import type { Fields } from '../../config/fields.js'
import { compileExpression, type Expression } from './expression.js'
import { type LabellerOptions, PEER_LABELS, STREAM_LABELS } from './labels.js'
import { isStandard, STANDARD_METRICS } from './metrics.js'

/** stats.PluginConfig, of the HTTP filter and of the network filter alike. */
export interface StatsConfig extends LabellerOptions {
  /** Between two reports of what is still open; 0: none until it is over. */
  readonly reportingMs: number
  readonly changes: ReadonlyMap<string, MetricChange>
  readonly definitions: readonly CustomMetric[]
}

export interface MetricChange {
  readonly drop: boolean
  /** Label by label, in the order of their names; undefined: it is left out. */
  readonly labels: ReadonlyMap<string, Expression | undefined>
}

/** A metric of the user's own. */
export interface CustomMetric {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly value: Expression
}

export const UNCHANGED: MetricChange = { drop: false, labels: new Map() }
const REPORTING_MS = 5_000
const KINDS = { COUNTER: 'counter', GAUGE: 'gauge', HISTOGRAM: 'histogram' } as const
const LABELS: ReadonlySet<string> = new Set([...PEER_LABELS, ...STREAM_LABELS])

/**
 * Reads it as Istio's proxy does: what is wrong with a tag or a definition costs that alone, and is told as a warning, so that a slip in a
 * Telemetry resource takes no listener away.
 */
export function compileStatsConfig(fields: Fields<PluginConfig>): StatsConfig {
  const definitions = fields.messages('definitions').flatMap((each) => compileDefinition(each) ?? [])
  const config: StatsConfig = {
    hostFallback: !fields.boolean('disable_host_header_fallback'),
    waypoint: fields.choice('reporter', ['UNSPECIFIED', 'SERVER_GATEWAY'], 'UNSPECIFIED') === 'SERVER_GATEWAY',
    reportingMs: fields.durationMs('tcp_reporting_duration', REPORTING_MS),
    changes: compileChanges(fields.messages('metrics'), [...STANDARD_METRICS, ...definitions.map(({ name }) => name)]),
    definitions,
  }
  fields.done({
    debug: 'logs only',
    stat_prefix: 'the names are fixed, as in Istio',
    max_peer_cache_size: 'there is no such cache',
    field_separator: 'labels are never joined',
    value_separator: 'labels are never joined',
    rotation_interval: 'series are never dropped',
    graceful_deletion_interval: 'series are never dropped',
  })
  return config
}

/** A metric without a name stands for all of them. */
function compileChanges(list: readonly Fields<MetricConfig>[], all: readonly string[]): ReadonlyMap<string, MetricChange> {
  const changes = new Map<string, MetricChange>()
  for (const fields of list) {
    const name = fields.string('name')
    const drop = fields.boolean('drop')
    const labels = [
      ...fields.strings('tags_to_remove').map((label): readonly [string, undefined] => [label, undefined]),
      ...compileLabels(fields),
    ]
    for (const metric of name === '' ? all : [name]) {
      const before = changes.get(metric) ?? UNCHANGED
      changes.set(metric, { drop: drop || before.drop, labels: new Map([...before.labels, ...labels]) })
    }
    fields.done({ match: 'has no effect in Istio either' })
  }
  return changes
}

/** A standard label whose expression is none is left out; another never was there. */
function compileLabels(fields: Fields<MetricConfig>): readonly (readonly [string, Expression | undefined])[] {
  const raw = (fields.raw('dimensions') ?? {}) as Record<string, unknown>
  return Object.keys(raw)
    .sort()
    .flatMap((label): readonly (readonly [string, Expression | undefined])[] => {
      const path = `${fields.path}.dimensions[${JSON.stringify(label)}]`
      const compiled = compileExpression(String(raw[label]), path)
      if (compiled.ok) return [[label, compiled.value]]
      warn(fields, compiled.diagnostics)
      return LABELS.has(label) ? [[label, undefined]] : []
    })
}

function compileDefinition(fields: Fields<MetricDefinition>): CustomMetric | undefined {
  const name = fields.string('name')
  const kind = KINDS[fields.choice('type', ['COUNTER', 'GAUGE', 'HISTOGRAM'], 'COUNTER')]
  const compiled = compileExpression(fields.string('value'), `${fields.path}.value`)
  fields.done()
  if (!compiled.ok) warn(fields, compiled.diagnostics)
  if (isStandard(name)) {
    const message = `${name} is one of Istio's own metrics, which cannot be defined anew.`
    warn(fields, [{ code: 'stats.definition', severity: 'warning', path: `${fields.path}.name`, message }])
    return undefined
  }
  return compiled.ok ? { name, kind, value: compiled.value } : undefined
}

function warn(fields: Fields<never>, diagnostics: readonly Diagnostic[]): void {
  fields.take(
    ok(
      undefined,
      diagnostics.map((each) => ({ ...each, severity: 'warning' as const })),
    ),
  )
}
