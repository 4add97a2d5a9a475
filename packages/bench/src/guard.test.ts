import { expect, it } from 'vitest'
import { createGuard, foreignLoadProblem } from './guard.js'

function machine(): { busy: number; stolen: number; own: number; ms: number } {
  return { busy: 100, stolen: 0, own: 40, ms: 0 }
}

function guardOver(state: ReturnType<typeof machine>): ReturnType<typeof createGuard> {
  return createGuard({ machine: () => state.busy, stolen: () => state.stolen, own: () => state.own, of: () => 0 }, () => state.ms)
}

it('takes our own work for nobody else’s', () => {
  const state = machine()
  const end = guardOver(state).begin()
  Object.assign(state, { busy: 102, own: 42, ms: 1000 })
  expect(foreignLoadProblem(end())).toBeUndefined()
})

it('refuses when others work, and when the hypervisor takes the core', () => {
  const state = machine()
  const guard = guardOver(state)
  const loud = guard.begin()
  Object.assign(state, { busy: 102.5, own: 42, ms: 2000 })
  expect(foreignLoadProblem(loud())).toBe('others used 25 % of a core, 5 % is the limit')
  const stolen = guard.begin()
  Object.assign(state, { stolen: 0.5, ms: 3000 })
  expect(foreignLoadProblem(stolen())).toContain('50 %')
})

it('knows nothing without /proc, and says so', () => {
  const load = createGuard(undefined).begin()()
  expect(load.share).toBeUndefined()
  expect(foreignLoadProblem(load)).toBeUndefined()
})
