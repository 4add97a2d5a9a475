import type { Clock } from '@heddle/runtime'
import type { Endpoint } from '../endpoint.js'
import type { FailureType, HealthCheck } from './health-check.js'

/** envoy.data.core.v3.HealthCheckEvent, one line of JSON each. */
export interface HealthEvents {
  ejected(endpoint: Endpoint, type: FailureType): void
  addHealthy(endpoint: Endpoint, first: boolean): void
  /** Of a first check, and of every one with always_log_health_check_failures. */
  failed(endpoint: Endpoint, type: FailureType, first: boolean): void
  /** Only with always_log_health_check_success. */
  passed(endpoint: Endpoint): void
  degraded(endpoint: Endpoint, now: boolean): void
}

export function createHealthEvents(config: HealthCheck, cluster: string, clock: Clock): HealthEvents {
  const { eventLogs, alwaysLogFailures, alwaysLogSuccess, checker } = config
  const write = ({ address, metadata, locality }: Endpoint, event: Readonly<Record<string, unknown>>): void => {
    if (eventLogs.length === 0) return
    const line = {
      health_checker_type: checker.kind,
      host: {
        socket_address: {
          protocol: 'TCP',
          address: address.address,
          port_value: address.port,
          resolver_name: '',
          ipv4_compat: false,
        },
      },
      cluster_name: cluster,
      ...event,
      timestamp: new Date(clock.now()).toISOString(),
      metadata: { filter_metadata: metadata, typed_filter_metadata: {} },
      locality: { region: locality.region, zone: locality.zone, sub_zone: locality.subZone },
    }
    const text = `${JSON.stringify(line)}\n`
    for (const log of eventLogs) log.write(text)
  }
  return {
    ejected: (endpoint, type) => write(endpoint, { eject_unhealthy_event: { failure_type: type } }),
    addHealthy: (endpoint, first) => write(endpoint, { add_healthy_event: { first_check: first } }),
    failed(endpoint, type, first) {
      if (first || alwaysLogFailures) write(endpoint, { health_check_failure_event: { failure_type: type, first_check: first } })
    },
    passed(endpoint) {
      if (alwaysLogSuccess) write(endpoint, { successful_health_check_event: {} })
    },
    degraded: (endpoint, now) => write(endpoint, now ? { degraded_healthy_host: {} } : { no_longer_degraded_host: {} }),
  }
}
