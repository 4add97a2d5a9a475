import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from './clock.js'

afterEach(() => void vi.useRealTimers())

test('now is the wall clock, monotonic never goes back', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000)
  const before = systemClock.monotonic()
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before)
})

test('after runs once, unless it is stopped', () => {
  vi.useFakeTimers()
  let runs = 0
  systemClock.after(10, () => runs++)
  const stop = systemClock.after(10, () => runs++)
  stop()
  stop()
  vi.advanceTimersByTime(100)
  expect(runs).toBe(1)
})

test('a delay longer than setTimeout takes is waited for, and can be stopped in any part', () => {
  vi.useFakeTimers()
  const month = 30 * 24 * 3_600_000
  let runs = 0
  systemClock.after(month, () => runs++)
  const stop = systemClock.after(month, () => runs++)
  vi.advanceTimersByTime(month - 1)
  expect(runs).toBe(0)
  stop()
  vi.advanceTimersByTime(1)
  expect(runs).toBe(1)
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what is asked for in one turn runs at its end, in order; what that asks for, in the next', async () => {
  const ran: number[] = []
  systemClock.endOfTurn?.(() => {
    ran.push(1)
    systemClock.endOfTurn?.(() => ran.push(3))
  })
  systemClock.endOfTurn?.(() => ran.push(2))
  expect(ran).toEqual([])
  await turn()
  expect(ran).toEqual([1, 2])
  await turn()
  expect(ran).toEqual([1, 2, 3])
})

test('one that throws takes no other with it', async () => {
  const ran: number[] = []
  const thrown: unknown[] = []
  const note = (error: unknown): void => void thrown.push(error)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', note)
  systemClock.endOfTurn?.(() => ran.push(1))
  systemClock.endOfTurn?.(() => {
    systemClock.endOfTurn?.(() => ran.push(3))
    throw new Error('no')
  })
  systemClock.endOfTurn?.(() => ran.push(2))
  await turn()
  await turn()
  process.off('uncaughtException', note)
  for (const other of others) process.on('uncaughtException', other)
  expect(ran).toEqual([1, 2, 3])
  expect(thrown).toHaveLength(1)
})
