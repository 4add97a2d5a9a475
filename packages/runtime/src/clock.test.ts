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
