import type { Clock, Random } from '@heddle/runtime'
import { formatAddress } from '../../net/address.js'
import type { Endpoint } from '../endpoint.js'
import { createHealthEvents } from './event-log.js'
import type { ActiveHealth, HealthCheck } from './health-check.js'
import { createHealthSession, type HealthSession, type Probe } from './session.js'
import type { HealthCheckStats } from './stats.js'

export interface HealthMonitorDeps {
  readonly cluster: string
  readonly clock: Clock
  readonly random: Random
  readonly stats: HealthCheckStats
  hadTraffic(): boolean
  /** A probe of whatever `endpoint` answers at the moment of asking. */
  probe(endpoint: () => Endpoint): Probe
  /** An endpoint's health changed; `endpoint` is undefined when only the first round has ended. */
  onChange(endpoint: Endpoint): void
}

/** The active checks of a cluster. */
export interface HealthMonitor {
  setEndpoints(endpoints: readonly Endpoint[]): void
  /** Undefined: it is not checked. */
  healthOf(endpoint: Endpoint): ActiveHealth | undefined
  /** An answer of the endpoint said x-envoy-immediate-health-check-fail. */
  failNow(endpoint: Endpoint): void
  /** Every endpoint has been checked once. */
  readonly settled: boolean
  close(): void
}

export function createHealthMonitor(config: HealthCheck, deps: HealthMonitorDeps): HealthMonitor {
  const sessions = new Map<string, HealthSession>()
  const events = createHealthEvents(config, deps.cluster, deps.clock)

  const begin = (endpoint: Endpoint): HealthSession => {
    const session: HealthSession = createHealthSession(
      config,
      endpoint,
      deps.probe(() => session.endpoint),
      {
        ...deps,
        events,
        onChange: () => deps.onChange(session.endpoint),
      },
    )
    return session
  }
  return {
    setEndpoints(endpoints) {
      const known = new Set<string>()
      for (const endpoint of endpoints) {
        if (endpoint.healthCheck?.disabled === true) continue
        const key = formatAddress(endpoint.address)
        known.add(key)
        const session = sessions.get(key)
        if (session !== undefined) {
          session.endpoint = endpoint
          continue
        }
        const made = begin(endpoint)
        sessions.set(key, made)
        made.start()
      }
      for (const [key, session] of sessions) {
        if (known.has(key)) continue
        sessions.delete(key)
        session.close()
      }
    },
    healthOf: (endpoint) => sessions.get(formatAddress(endpoint.address))?.health,
    failNow: (endpoint) => sessions.get(formatAddress(endpoint.address))?.failNow(),
    get settled() {
      for (const { health } of sessions.values()) if (health.pending) return false
      return true
    },
    close() {
      for (const session of sessions.values()) session.close()
      sessions.clear()
    },
  }
}
