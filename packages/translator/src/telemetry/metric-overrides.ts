import type { MetricsOverride } from '@heddle/config-model'
import type { Build } from '../build.js'
import type { ListenerClass } from '../proxy-headers.js'
import { isForListener, telemetryOf } from './telemetry-of.js'

/** How a metric differs from Istio's standard. */
export interface MetricChange {
  /** Istio's name for one of its own (`REQUEST_COUNT`), else the metric's. */
  readonly metric: string
  readonly disabled: boolean
  /** By tag: the CEL expression of its value; undefined: the tag is left out. */
  readonly tags: ReadonlyMap<string, string | undefined>
}

export interface ProviderMetrics {
  readonly provider: string
  readonly changes: readonly MetricChange[]
  /** How often TCP metrics are reported, in milliseconds; undefined: Envoy's 5 s. */
  readonly reportingInterval: number | undefined
}

const ALL_METRICS: readonly string[] = [
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_OPENED_CONNECTIONS',
  'TCP_RECEIVED_BYTES',
  'TCP_SENT_BYTES',
]

interface Merged {
  readonly changes: Map<string, { disabled: boolean; readonly tags: Map<string, string | undefined> }>
  off: boolean
  reportingInterval: number | undefined
}

/**
 * Who counts for a listener, by name: MeshConfig.defaultProviders.metrics, or those that the narrowest Telemetry names. Overrides add up from the mesh to
 * the workload; one that names no providers speaks of those above it. A provider whose metrics are all off does not count.
 */
export function metricProviders(build: Build, listener: ListenerClass): readonly ProviderMetrics[] {
  const defaults = build.mesh.defaultProviders?.metrics ?? []
  const metrics = telemetryOf(build).flatMap(({ spec }) => spec.metrics ?? [])
  const named = metrics.map(({ providers = [] }) => providers.map(({ name }) => name))
  const inScope = named.findLast((names) => names.length > 0) ?? defaults
  const merged = new Map<string, Merged>(
    inScope.map((name) => [name, { changes: new Map(), off: false, reportingInterval: undefined }]),
  )
  let inherited = defaults
  for (const [i, { overrides = [], reportingInterval }] of metrics.entries()) {
    inherited = named[i]!.length > 0 ? named[i]! : inherited
    for (const name of inherited) {
      const one = merged.get(name)
      if (one === undefined) continue
      one.reportingInterval = reportingInterval ?? one.reportingInterval
      for (const override of overrides) if (isForListener(override.match, listener)) apply(one, override)
    }
  }
  return [...merged]
    .filter(([, { off }]) => !off)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([provider, { changes, reportingInterval }]) => ({
      provider,
      reportingInterval,
      changes: [...changes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([metric, change]) => ({ metric, ...change })),
    }))
}

function apply(merged: Merged, { match, disabled, tagOverrides = {} }: MetricsOverride): void {
  const custom = match?.customMetric ?? ''
  const all = custom === '' && (match?.metric ?? 'ALL_METRICS') === 'ALL_METRICS'
  merged.off = all && disabled === true
  if (merged.off) return
  for (const metric of all ? ALL_METRICS : [custom || match!.metric!]) {
    const change = merged.changes.get(metric) ?? { disabled: false, tags: new Map<string, string | undefined>() }
    merged.changes.set(metric, change)
    change.disabled = disabled ?? change.disabled
    for (const [tag, { operation, value = '' }] of Object.entries(tagOverrides))
      change.tags.set(tag, operation === 'REMOVE' ? undefined : value)
  }
}
