import { expect, it } from 'vitest'
import type { HttpStream } from '../../http/filter.js'
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

it('on-demand clusters are refused by name', () => {
  expect(onDemandFilter.decode({ odcds: {} }, 'typed_config').diagnostics).toMatchObject([{ path: 'typed_config.odcds' }])
})
