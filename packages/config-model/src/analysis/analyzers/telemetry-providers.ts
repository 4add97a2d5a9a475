import type { Analyzer } from '../analyzer.js'

/** Access logging that names no provider where the mesh has none by default. */
export const telemetryProviders: Analyzer = {
  name: 'telemetry.ProviderAnalyzer',
  summary: 'Telemetries with access logging and no provider',
  messages: ['InvalidTelemetryProvider'],
  analyze(context, report) {
    if ((context.meshConfig.defaultProviders?.accessLogging ?? []).length > 0) return
    for (const telemetry of context.of('Telemetry')) {
      const { name, namespace } = telemetry.metadata
      const at = (telemetry.spec.accessLogging ?? []).findIndex(
        ({ disabled, providers }) => disabled !== true && (providers ?? []).length === 0,
      )
      if (at >= 0) report('InvalidTelemetryProvider', telemetry, `spec.accessLogging[${at}]`, name, namespace)
    }
  },
}

/** Lightstep's own provider: OpenTelemetry has taken its place. */
export const lightstep: Analyzer = {
  name: 'telemetry.LightstepAnalyzer',
  summary: 'Telemetries that use the Lightstep provider',
  messages: ['Deprecated'],
  analyze(context, report) {
    const providers = (context.meshConfig.extensionProviders ?? []).filter((provider) => 'lightstep' in provider)
    const names = new Set(providers.map(({ name }) => name))
    if (names.size === 0) return
    for (const telemetry of context.of('Telemetry')) {
      const used = (telemetry.spec.tracing ?? []).flatMap(({ providers }) => (providers ?? []).map(({ name }) => name))
      for (const name of new Set(used.filter((one) => names.has(one)))) {
        const text = `The Lightstep provider ${name} is deprecated, please migrate to OpenTelemetry provider.`
        report('Deprecated', telemetry, 'spec.tracing', text)
      }
    }
  },
}
