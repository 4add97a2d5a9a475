import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createTimers } from './timers.js'

test('a timer fires once, not early, at most a tick late; stopped and restarted ones do not fire', () => {
  const clock = createFakeClock()
  const timers = createTimers({ clock, tickMs: 5 })
  const fired: string[] = []
  const a = timers.timer(() => fired.push(`a ${clock.monotonic()}`))
  const b = timers.timer(() => fired.push('b'))
  const c = timers.timer(() => fired.push(`c ${clock.monotonic()}`))
  a.start(100)
  b.start(50)
  c.start(60)
  b.stop()
  clock.advance(59)
  c.start(60)
  expect(fired).toEqual([])
  clock.advance(1000)
  expect(fired).toEqual(['a 100', 'c 120'])
  expect(a.running).toBe(false)
})

test('0 means none', () => {
  const clock = createFakeClock()
  const timer = createTimers({ clock }).timer(() => {
    throw new Error('fired')
  })
  timer.start(0)
  expect([timer.running, clock.pending]).toEqual([false, 0])
})

test('an hour is longer than the wheel, and an idle wheel asks for nothing', () => {
  const clock = createFakeClock()
  const timers = createTimers({ clock })
  let at = 0
  timers
    .timer(() => {
      at = clock.monotonic()
    })
    .start(3_600_000)
  clock.advance(3_599_999)
  expect(at).toBe(0)
  clock.advance(10)
  expect(at).toBe(3_600_000)
  expect(clock.pending).toBe(0)
})

test('one that stops another in the same tick is obeyed', () => {
  const clock = createFakeClock()
  const timers = createTimers({ clock })
  const fired: string[] = []
  const one = timers.timer(() => {
    fired.push('one')
    other.stop()
  })
  const other = timers.timer(() => {
    fired.push('other')
    one.stop()
  })
  one.start(10)
  other.start(10)
  clock.advance(20)
  expect(fired).toHaveLength(1)
})

test('a thousand timers fire in their time whatever the order they were started in', () => {
  const clock = createFakeClock()
  const random = createSeededRandom(7)
  const timers = createTimers({ clock, tickMs: 5 })
  let late = 0
  let count = 0
  for (let i = 0; i < 1000; i++) {
    const ms = 1 + Math.floor(random.next() * 20_000)
    const due = clock.monotonic() + ms
    timers
      .timer(() => {
        count++
        late = Math.max(late, clock.monotonic() - due)
        expect(clock.monotonic()).toBeGreaterThanOrEqual(due)
      })
      .start(ms)
    if (i % 10 === 0) clock.advance(3)
  }
  clock.advance(30_000)
  expect(count).toBe(1000)
  expect(late).toBeLessThanOrEqual(5)
})
