import type { ExtensionProvider, TelemetryTracing } from '@heddle/config-model'
import type { Build } from '../build.js'
import type { ListenerClass } from '../proxy-headers.js'
import { extensionProvider } from './extension-provider.js'
import { isForListener, telemetryOf } from './telemetry-of.js'

/** What Telemetry resources say of a listener's spans. */
export interface TracingSpec extends Omit<TelemetryTracing, 'match' | 'providers' | 'disableSpanReporting'> {
  /** Where spans go; undefined: nowhere, there are none. */
  readonly provider: ExtensionProvider | undefined
}

/**
 * The settings of Telemetry resources laid over each other, and MeshConfig.defaultProviders.tracing; undefined when neither says anything, and MeshConfig's
 * own `enableTracing` decides. Only the first provider of a list counts, as in Istio.
 */
export function tracingSpec(build: Build, listener: ListenerClass): TracingSpec | undefined {
  const [byDefault] = build.mesh.defaultProviders?.tracing ?? []
  const resources = telemetryOf(build).flatMap(({ spec }) => spec.tracing ?? [])
  if (resources.length === 0 && byDefault === undefined) return undefined
  let name = byDefault
  let disabled = false
  let merged: Omit<TracingSpec, 'provider'> = {}
  for (const { match, providers = [], disableSpanReporting, ...settings } of resources) {
    if (!isForListener(match, listener)) continue
    name = providers[0]?.name ?? name
    disabled = disableSpanReporting ?? disabled
    merged = { ...merged, ...settings }
  }
  return { ...merged, provider: disabled || name === undefined ? undefined : extensionProvider(build, name) }
}
