import type { Clock, MetricsRegistry } from '@heddle/runtime'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import type { AccessLogEntry } from '../access-log.js'
import type { OtlpDeps } from '../otlp.js'
import { type AccessLogServiceConfig, createAccessLogService } from './access-log-service.js'
import { createOpenTelemetryLog, type OpenTelemetryLogConfig } from './opentelemetry-log.js'

export interface CollectorLogDeps extends OtlpDeps {
  readonly clock: Clock
  readonly stats: MetricsRegistry
  /** Who logs. */
  readonly node: Node
}

/** An access log that goes to a service rather than into a file. */
export interface CollectorLog {
  /** Never waits, never throws. */
  log(entry: AccessLogEntry): void
  /** Resolves when what was logged is sent, or lost. */
  flush(): Promise<void>
}

/** The logs of a proxy that go to services: one for each configuration, so that batches and streams outlive a change of their listener. */
export interface CollectorLogs {
  /** `key`: the configuration as it came. */
  accessLogService(key: string, config: AccessLogServiceConfig): CollectorLog
  openTelemetry(key: string, config: OpenTelemetryLogConfig): CollectorLog
  readonly node: Node
  flush(): Promise<void>
}

export function createCollectorLogs(deps: CollectorLogDeps): CollectorLogs {
  const logs = new Map<string, CollectorLog>()
  const keep = (key: string, create: () => CollectorLog): CollectorLog => {
    let log = logs.get(key)
    if (log === undefined) {
      log = create()
      logs.set(key, log)
    }
    return log
  }
  return {
    node: deps.node,
    accessLogService: (key, config) => keep(`${config.kind} ${key}`, () => createAccessLogService(config, deps)),
    openTelemetry: (key, config) => keep(`otlp ${key}`, () => createOpenTelemetryLog(config, deps)),
    async flush() {
      await Promise.all([...logs.values()].map((log) => log.flush()))
    },
  }
}
