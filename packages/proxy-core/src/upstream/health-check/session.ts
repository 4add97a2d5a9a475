import type { Clock, Random, Unsubscribe } from '@heddle/runtime'
import type { Endpoint } from '../endpoint.js'
import type { HealthEvents } from './event-log.js'
import type { ActiveHealth, FailureType, HealthCheck, ProbeResult } from './health-check.js'
import type { HealthCheckStats } from './stats.js'

/** Checks one endpoint when it is told to. `done` hears one result, unless the check is cancelled first. */
export interface Probe {
  run(done: (result: ProbeResult) => void): void
  cancel(): void
  /** Lets its connection go. */
  close(): void
}

export interface SessionDeps {
  readonly clock: Clock
  readonly random: Random
  readonly stats: HealthCheckStats
  readonly events: HealthEvents
  /** Somebody has used the cluster. */
  hadTraffic(): boolean
  onChange(): void
}

type Transition = 'unchanged' | 'pending' | 'changed'

/** The checks of one endpoint: Envoy's ActiveHealthCheckSession. It begins as failed and pending; the first success, or failure, counts alone. */
export interface HealthSession {
  readonly health: ActiveHealth
  /** Its connection, address or labels may have changed. */
  endpoint: Endpoint
  start(): void
  /** The endpoint itself has said, in an answer to a request, that it must not be used. */
  failNow(): void
  close(): void
}

export function createHealthSession(config: HealthCheck, first: Endpoint, probe: Probe, deps: SessionDeps): HealthSession {
  return new Session(config, first, probe, deps)
}

class Session implements HealthSession {
  endpoint: Endpoint
  readonly health = { failed: true, pending: true, timedOut: false, degraded: false, excluded: false }
  readonly #config: HealthCheck
  readonly #probe: Probe
  readonly #deps: SessionDeps
  #healthy = 0
  #unhealthy = 0
  #first = true
  #stopInterval: Unsubscribe | undefined
  #stopTimeout: Unsubscribe | undefined
  #closed = false

  constructor(config: HealthCheck, endpoint: Endpoint, probe: Probe, deps: SessionDeps) {
    this.#config = config
    this.endpoint = endpoint
    this.#probe = probe
    this.#deps = deps
  }

  start(): void {
    const { initialJitterMs } = this.#config
    if (initialJitterMs === 0) this.#check()
    else this.#later(Math.max(1, Math.floor(this.#deps.random.next() * initialJitterMs)))
  }

  failNow(): void {
    if (this.#closed) return
    this.health.excluded = true
    this.#setUnhealthy('PASSIVE', false)
    this.#deps.onChange()
  }

  close(): void {
    this.#closed = true
    this.#stopInterval?.()
    this.#stopTimeout?.()
    this.#probe.close()
    if (!this.health.failed) this.#deps.stats.healthy.add(-1)
    if (this.health.degraded) this.#deps.stats.degraded.add(-1)
  }

  #later(ms: number): void {
    this.#stopInterval = this.#deps.clock.after(ms, () => this.#check())
  }

  #check(): void {
    this.#deps.stats.attempt.inc()
    this.#stopTimeout = this.#deps.clock.after(this.#config.timeoutMs, () => {
      this.#probe.cancel()
      this.#failed('NETWORK_TIMEOUT', false)
    })
    this.#probe.run((result) => {
      this.#stopTimeout?.()
      if (this.#closed) return
      if (result.ok) this.#passed(result.degraded)
      else {
        if (result.excluded) this.health.excluded = true
        this.#failed(result.type, result.retriable)
      }
    })
  }

  #passed(degraded: boolean): void {
    const { health } = this
    const { stats, events } = this.#deps
    this.#unhealthy = 0
    let change: Transition = 'unchanged'
    if (health.failed) {
      if (this.#first || ++this.#healthy === this.#config.healthyThreshold) {
        health.failed = health.timedOut = health.excluded = false
        stats.healthy.add(1)
        change = 'changed'
        events.addHealthy(this.endpoint, this.#first)
      } else change = 'pending'
    }
    if (change !== 'changed') events.passed(this.endpoint)
    change = this.#noLongerPending(change)
    if (degraded !== health.degraded) {
      health.degraded = degraded
      stats.degraded.add(degraded ? 1 : -1)
      events.degraded(this.endpoint, degraded)
      if (change === 'unchanged') change = 'changed'
    }
    stats.success.inc()
    this.#first = false
    this.#tell(change)
    this.#later(this.#interval(true, change))
  }

  #failed(type: FailureType, retriable: boolean): void {
    const change = this.#setUnhealthy(type, retriable)
    this.#tell(change)
    if (!this.#closed) this.#later(this.#interval(false, change))
  }

  #setUnhealthy(type: FailureType, retriable: boolean): Transition {
    const { health } = this
    const { stats, events } = this.#deps
    const ofNetwork = type === 'NETWORK' || type === 'NETWORK_TIMEOUT'
    this.#healthy = 0
    let change: Transition = 'unchanged'
    if (!health.failed) {
      if ((!ofNetwork && !retriable) || ++this.#unhealthy === this.#config.unhealthyThreshold) {
        health.failed = true
        this.#unhealthy = 0
        stats.healthy.add(-1)
        change = 'changed'
        events.ejected(this.endpoint, type)
      } else change = 'pending'
    }
    health.timedOut = type === 'NETWORK_TIMEOUT' && health.failed
    change = this.#noLongerPending(change)
    events.failed(this.endpoint, type, this.#first)
    stats.failure.inc()
    if (ofNetwork) stats.networkFailure.inc()
    else if (type === 'PASSIVE') stats.passiveFailure.inc()
    this.#first = false
    return change
  }

  #noLongerPending(change: Transition): Transition {
    if (!this.health.pending) return change
    this.health.pending = false
    return 'changed'
  }

  #tell(change: Transition): void {
    if (change === 'changed') this.#deps.onChange()
  }

  #interval(passed: boolean, change: Transition): number {
    const config = this.#config
    let base: number
    if (!this.#deps.hadTraffic())
      base = passed && change !== 'pending' ? config.noTrafficHealthyIntervalMs : config.noTrafficIntervalMs
    else if (passed) base = change === 'pending' ? config.healthyEdgeIntervalMs : config.intervalMs
    else base = change === 'pending' ? config.unhealthyEdgeIntervalMs : config.unhealthyIntervalMs
    const { random } = this.#deps
    const jitter = Math.floor(random.next() * ((base * config.intervalJitterPercent) / 100))
    return Math.max(1, base + jitter + Math.floor(random.next() * config.intervalJitterMs))
  }
}
