import { type Clock, formatDiagnostic, type Logger, type MetricsRegistry, type Result } from '@heddle/runtime'
import type { ProxyBootstrap } from './bootstrap.js'
import { compileMessage } from './config/fields.js'
import { compileStatsSink } from './config/stats-sink.js'
import { compileTracingProvider, type TracingProvider } from './config/tracing-provider.js'
import { createUdpSender } from './net/datagram.js'
import { createStatsFlusher, type StatsFlusher, type StatsSink } from './observe/stats-sink.js'
import { createStatsdSink } from './observe/statsd.js'
import { ProxyStartError } from './proxy-options.js'

/** `tracing` of the bootstrap: who gets the spans of managers that name nobody. */
export function tracingProviderOf({ tracing }: ProxyBootstrap): { readonly tracingProvider?: TracingProvider } {
  if (tracing === undefined) return {}
  const tracingProvider = valueOrThrow(compileMessage(tracing, 'tracing.http', compileTracingProvider))
  return tracingProvider === undefined ? {} : { tracingProvider }
}

export interface StatsSinksOptions {
  readonly bootstrap: ProxyBootstrap
  /** A user's own, beside the bootstrap's. */
  readonly own?: readonly StatsSink[] | undefined
  readonly stats: MetricsRegistry
  readonly clock: Clock
  readonly logger: Logger
}

/** `stats_sinks` of the bootstrap and a user's own, told every `stats_flush_interval`. */
export function startStatsSinks({ bootstrap, own = [], stats, clock, logger }: StatsSinksOptions): StatsFlusher {
  const targets = bootstrap.statsSinks.flatMap(
    (sink, i) => valueOrThrow(compileMessage(sink, `stats_sinks[${i}]`, compileStatsSink)) ?? [],
  )
  const statsd = targets.map(({ address, prefix }) => createStatsdSink(createUdpSender(address), prefix))
  return createStatsFlusher({
    stats,
    sinks: [...statsd, ...own],
    clock,
    intervalMs: bootstrap.statsFlushIntervalMs,
    onError: (error) => logger.error({ error: String(error) }, 'a sink of statistics failed'),
  })
}

function valueOrThrow<T>(compiled: Result<T>): T {
  if (!compiled.ok) throw new ProxyStartError(compiled.diagnostics.map(formatDiagnostic))
  return compiled.value
}
