import type { TracingProvider } from '../../config/tracing-provider.js'
import { createOpenTelemetryTracer, type OpenTelemetryDeps } from './opentelemetry.js'
import type { Tracer } from './span.js'
import { createZipkinTracer, type ZipkinDeps } from './zipkin.js'

export type TracersDeps = ZipkinDeps & OpenTelemetryDeps

/** The tracers of a proxy: one for each provider, however many listeners name it, so that its batches outlive their changes. */
export interface Tracers {
  of(provider: TracingProvider): Tracer
  flush(): Promise<void>
}

export function createTracers(deps: TracersDeps): Tracers {
  const tracers = new Map<string, Tracer>()
  return {
    of(provider) {
      const key = JSON.stringify(provider, (_, value: unknown) => (value instanceof Map ? [...value] : value))
      let tracer = tracers.get(key)
      if (tracer === undefined) {
        tracer = provider.kind === 'zipkin' ? createZipkinTracer(provider, deps) : createOpenTelemetryTracer(provider, deps)
        tracers.set(key, tracer)
      }
      return tracer
    },
    async flush() {
      await Promise.all([...tracers.values()].map((tracer) => tracer.flush()))
    },
  }
}
