import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import type { HealthCheck as HealthCheckProto } from '@heddle/xds-types/envoy/config/core/v3'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../../config/fields.js'
import { compileHealthCheck } from '../../config/health-check.js'
import { createClusterStats } from '../../observe/stats.js'
import { testDeps } from '../../testing.js'
import type { Endpoint } from '../endpoint.js'
import { createHealthEvents } from './event-log.js'
import { failed, type HealthCheck, PASSED, type ProbeResult } from './health-check.js'
import { createHealthSession } from './session.js'

const endpoint: Endpoint = {
  address: { address: '10.0.0.1', port: 80 },
  weight: 1,
  priority: 0,
  locality: { region: 'r', zone: 'z', subZone: '' },
  health: 'UNKNOWN',
  metadata: {},
}
const DEGRADED: ProbeResult = { ok: true, degraded: true }

function compiled(json: HealthCheckProto, lines: string[] = []): HealthCheck {
  const times = { timeout: '1s', interval: '10s', unhealthy_threshold: 2, healthy_threshold: 3, tcp_health_check: {} }
  const deps = testDeps({ sink: () => ({ write: (line) => void lines.push(line) }) })
  const result = compileMessage({ ...times, ...json } as HealthCheckProto, '', (fields) => compileHealthCheck(fields, deps))
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

function start(json: HealthCheckProto = {}, traffic = true) {
  const lines: string[] = []
  const config = compiled({ event_log_path: 'events', ...json }, lines)
  const clock = createFakeClock()
  const stats = createClusterStats(createMetricsRegistry(), 'c').healthCheck
  let done: ((result: ProbeResult) => void) | undefined
  let checks = 0
  let changes = 0
  const session = createHealthSession(
    config,
    endpoint,
    {
      run(next) {
        checks++
        done = next
      },
      cancel() {
        done = undefined
      },
      close() {},
    },
    {
      ...{ clock, stats, random: createSeededRandom(1), hadTraffic: () => traffic },
      events: createHealthEvents(config, 'c', clock),
      onChange: () => changes++,
    },
  )
  session.start()
  const answer = (...results: readonly ProbeResult[]): void => {
    for (const result of results) {
      while (done === undefined) clock.advance(100)
      const own = done
      done = undefined
      own(result)
    }
  }
  return {
    ...{ session, clock, stats, answer, lines },
    get checks() {
      return checks
    },
    get changes() {
      return changes
    },
  }
}

/** Milliseconds until the next check. */
function untilNext(run: ReturnType<typeof start>): number {
  const before = run.checks
  const from = run.clock.monotonic()
  while (run.checks === before) run.clock.advance(50)
  return run.clock.monotonic() - from
}

describe('active health', () => {
  it('begins as failed and pending; the first success counts alone', () => {
    const run = start()
    expect(run.session.health).toMatchObject({ failed: true, pending: true })
    run.answer(PASSED)
    expect(run.session.health).toMatchObject({ failed: false, pending: false })
    expect(run.stats.healthy.value).toBe(1)
  })

  it('fails after unhealthy_threshold failures of the network, and at once when it is told so', () => {
    const slowly = start()
    slowly.answer(PASSED, failed('NETWORK'))
    expect(slowly.session.health.failed).toBe(false)
    slowly.answer(failed('NETWORK'))
    expect(slowly.session.health.failed).toBe(true)
    const atOnce = start()
    atOnce.answer(PASSED, failed('ACTIVE'))
    expect(atOnce.session.health.failed).toBe(true)
    const retriable = start()
    retriable.answer(PASSED, failed('ACTIVE', true))
    expect(retriable.session.health.failed).toBe(false)
  })

  it('comes back after healthy_threshold successes in a row', () => {
    const run = start()
    run.answer(failed('ACTIVE'), PASSED, PASSED, failed('ACTIVE'), PASSED, PASSED)
    expect(run.session.health.failed).toBe(true)
    run.answer(PASSED)
    expect(run.session.health.failed).toBe(false)
  })

  it('a timeout is a failure of the network, and is told apart', () => {
    const run = start({ unhealthy_threshold: 1 })
    run.answer(PASSED)
    untilNext(run)
    run.clock.advance(1_000)
    expect(run.session.health).toMatchObject({ failed: true, timedOut: true })
    expect(run.stats.networkFailure.value).toBe(1)
  })

  it('degraded is healthy of a second kind', () => {
    const run = start()
    run.answer(DEGRADED)
    expect(run.session.health).toMatchObject({ failed: false, degraded: true })
    expect(run.stats.degraded.value).toBe(1)
    run.answer(PASSED)
    expect(run.session.health.degraded).toBe(false)
  })

  it('x-envoy-immediate-health-check-fail excludes until a check passes', () => {
    const run = start({ healthy_threshold: 1 })
    run.answer(PASSED)
    run.session.failNow()
    expect(run.session.health).toMatchObject({ failed: true, excluded: true })
    expect(run.stats.passiveFailure.value).toBe(1)
    run.answer(PASSED)
    expect(run.session.health).toMatchObject({ failed: false, excluded: false })
  })
})

describe('intervals', () => {
  const edges = { unhealthy_interval: '2s', unhealthy_edge_interval: '3s', healthy_edge_interval: '4s' } as const

  it('are those of what the host is, and of what it is about to be', () => {
    const run = start(edges)
    run.answer(PASSED)
    expect(untilNext(run)).toBe(10_000)
    run.answer(failed('NETWORK'))
    expect(untilNext(run)).toBe(3_000)
    run.answer(failed('NETWORK'))
    expect(untilNext(run)).toBe(2_000)
    run.answer(PASSED)
    expect(untilNext(run)).toBe(4_000)
  })

  it('are long while nobody uses the cluster', () => {
    const run = start({ no_traffic_interval: '20s', no_traffic_healthy_interval: '30s' }, false)
    run.answer(failed('NETWORK'))
    expect(untilNext(run)).toBe(20_000)
    const healthy = start({ no_traffic_interval: '20s', no_traffic_healthy_interval: '30s' }, false)
    healthy.answer(PASSED)
    expect(untilNext(healthy)).toBe(30_000)
  })

  it('are spread by jitter, the first one too', () => {
    const run = start({ initial_jitter: '5s', interval_jitter: '1s', interval_jitter_percent: 10 })
    expect(run.checks).toBe(0)
    expect(untilNext(run)).toBeLessThanOrEqual(5_000)
    run.answer(PASSED)
    const next = untilNext(run)
    expect(next).toBeGreaterThanOrEqual(10_000)
    expect(next).toBeLessThanOrEqual(12_000)
  })

  it('end when the session is closed', () => {
    const run = start()
    run.answer(PASSED)
    run.session.close()
    expect(run.clock.pending).toBe(0)
    expect(run.stats.healthy.value).toBe(0)
  })
})

it('events are told as Envoy writes them', () => {
  const run = start({ always_log_health_check_failures: true, unhealthy_threshold: 1 })
  run.answer(PASSED, failed('NETWORK'), failed('NETWORK'))
  const events = run.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(events[0]).toMatchObject({
    health_checker_type: 'TCP',
    cluster_name: 'c',
    host: { socket_address: { address: '10.0.0.1', port_value: 80 } },
    add_healthy_event: { first_check: true },
  })
  expect(events.map((event) => Object.keys(event).find((key) => key.endsWith('_event')))).toEqual([
    'add_healthy_event',
    'eject_unhealthy_event',
    'health_check_failure_event',
    'health_check_failure_event',
  ])
})
