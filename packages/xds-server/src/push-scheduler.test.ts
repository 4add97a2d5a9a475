import type { Clock } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createPushScheduler, type PushTarget } from './push-scheduler.js'

function targets(count: number, log: number[]): PushTarget[] {
  return Array.from({ length: count }, (_, i) => ({ push: () => void log.push(i) }))
}

test('each once, in order, a few per turn', () => {
  const log: number[] = []
  const turns: number[] = []
  const fake = createFakeClock()
  const clock: Clock = {
    ...fake,
    after: (ms, run) =>
      fake.after(ms, () => {
        run()
        turns.push(log.length)
      }),
  }
  const scheduler = createPushScheduler({ clock, perTurn: 2 })
  for (const target of targets(5, log)) {
    scheduler.schedule(target)
    scheduler.schedule(target)
  }
  expect([log, scheduler.pending]).toEqual([[], 5])
  fake.advance(0)
  expect(log).toEqual([0, 1, 2, 3, 4])
  expect(turns).toEqual([2, 4, 5])
})

test('a target that is scheduled while it is pushed goes to the end, and a cancelled one not at all', () => {
  const log: string[] = []
  const clock = createFakeClock()
  const scheduler = createPushScheduler({ clock, perTurn: 1 })
  let again = 1
  const first: PushTarget = {
    push() {
      log.push('first')
      if (again-- > 0) scheduler.schedule(first)
    },
  }
  const cancelled: PushTarget = { push: () => void log.push('cancelled') }
  const last: PushTarget = { push: () => void log.push('last') }
  for (const target of [first, cancelled, last]) scheduler.schedule(target)
  scheduler.cancel(cancelled)
  clock.advance(0)
  expect(log).toEqual(['first', 'last', 'first'])
})
