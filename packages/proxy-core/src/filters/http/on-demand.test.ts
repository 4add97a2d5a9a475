import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { FilterDeps, HttpStream } from '../../http/filter.js'
import type { RouteDecision } from '../../route/decision.js'
import { onDemandFilter } from './on-demand.js'
import { configured, deps, stream } from './testing.js'

function ask(route: RouteDecision['kind'], answers: readonly RouteDecision['kind'][]) {
  let [asked, now] = [0, route]
  const demandRoute = (): Promise<void> | undefined => (asked < answers.length ? Promise.resolve() : undefined)
  const made: HttpStream = Object.defineProperty(
    { ...stream(), clearRoute: (afresh?: boolean) => void (afresh === true && (now = answers[asked++] ?? 'none')) },
    'route',
    { get: () => ({ kind: now }) },
  )
  const outcome = configured(onDemandFilter, {}, deps({ demandRoute }))(made).onRequest?.(made.request, made)
  return { outcome, asked: () => asked, route: () => now }
}

it('a request with a route goes on at once, and one for which nothing can be asked', () => {
  expect(ask('forward', ['none']).outcome).toBeUndefined()
  expect(ask('reply', ['none']).outcome).toBeUndefined()
  expect(ask('none', []).outcome).toBeUndefined()
})

it.each([
  [['forward'], 1, 'forward'],
  [['none'], 1, 'none'],
  // A scope's routes have come, and of these the virtual host is asked for.
  [['none', 'forward'], 2, 'forward'],
  [['none', 'none', 'forward'], 2, 'none'],
] as const)('otherwise it waits: %j', async (answers, asked, route) => {
  const request = ask('none', answers)
  expect(await request.outcome).toBeUndefined()
  expect([request.asked(), request.route()]).toEqual([asked, route])
})

describe('clusters', () => {
  const forward = { kind: 'forward', target: { cluster: 'late' } } as unknown as RouteDecision
  const asking = (config: object, rest: Partial<FilterDeps>, perRoute?: unknown) => {
    const made = { ...stream({ perRoute }), route: forward }
    return configured(onDemandFilter, config, deps(rest))(made).onRequest?.(made.request, made)
  }
  const missing = (asked: string[], wait: Promise<void> | undefined): Partial<FilterDeps> => ({
    clusterDiscovery: () => undefined,
    demandCluster(name) {
      asked.push(name)
      return wait
    },
  })

  it('are asked for where odcds says so, by the filter or the route, and waited for no longer than it says', async () => {
    const clock = createFakeClock()
    const asked: string[] = []
    const never = new Promise<void>(() => {})
    expect(asking({}, { ...missing(asked, never), clock })).toBeUndefined()
    const waits = [
      asking({ odcds: { timeout: '1s' } }, { ...missing(asked, never), clock }),
      asking({}, { ...missing(asked, never), clock }, { clusterTimeoutMs: 1_000 }),
      asking({ odcds: {} }, { ...missing(asked, Promise.resolve()), clock }),
    ]
    await waits[2]
    await clock.advanceAsync(1_000)
    await Promise.all(waits)
    expect(asked).toEqual(['late', 'late', 'late'])
  })

  it('that are there, or known to be missing, are not waited for', () => {
    const there = { clusterDiscovery: () => ({ kind: 'EDS', serviceName: '' }) as const, demandCluster: () => Promise.resolve() }
    expect(asking({ odcds: {} }, there)).toBeUndefined()
    expect(asking({ odcds: {} }, missing([], undefined))).toBeUndefined()
  })
})
