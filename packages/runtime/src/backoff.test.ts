import { expect, test } from 'vitest'
import { createBackoff } from './backoff.js'
import { createFakeClock, createSeededRandom } from './testing/index.js'

test('the bound doubles up to the maximum; reset starts again', () => {
  const backoff = createBackoff({ clock: createFakeClock(), random: { next: () => 0.999999 }, baseMs: 500, maxMs: 3_000 })
  expect(Array.from({ length: 5 }, () => backoff.nextDelay())).toEqual([499, 999, 1_999, 2_999, 2_999])
  expect(backoff.failures).toBe(5)
  backoff.reset()
  expect(backoff.nextDelay()).toBe(499)
})

test('delays are spread over the whole range, and stay finite after thousands of failures', () => {
  const backoff = createBackoff({ clock: createFakeClock(), random: createSeededRandom(7) })
  const delays = Array.from({ length: 5_000 }, () => backoff.nextDelay()).slice(10)
  expect(Math.min(...delays)).toBeLessThan(100)
  expect(Math.max(...delays)).toBeGreaterThan(29_900)
  expect(Math.max(...delays)).toBeLessThan(30_000)
})

test('retry waits that long, unless it is stopped', () => {
  const clock = createFakeClock()
  const backoff = createBackoff({ clock, random: { next: () => 0.5 } })
  const ran: number[] = []
  backoff.retry(() => ran.push(clock.monotonic()))
  backoff.retry(() => ran.push(-1))()
  clock.advance(60_000)
  expect(ran).toEqual([250])
})
