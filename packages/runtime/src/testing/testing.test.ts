import { expect, test } from 'vitest'
import { createFakeClock, createSeededRandom } from './index.js'

test('the fake clock runs timers in order of time, then of creation, with those they add', () => {
  const clock = createFakeClock({ now: 1_000 })
  const log: string[] = []
  const note = (name: string) => (): void => void log.push(`${name}@${clock.monotonic()}`)
  clock.after(20, note('late'))
  clock.after(10, note('first'))
  clock.after(10, note('second'))
  clock.after(5, () => clock.after(5, note('added')))
  const stop = clock.after(7, note('stopped'))
  stop()
  clock.advance(15)
  expect(log).toEqual(['first@10', 'second@10', 'added@10'])
  expect(clock.now()).toBe(1_015)
  expect(clock.pending).toBe(1)
})

test('after(0) waits for the next turn', () => {
  const clock = createFakeClock()
  let ran = false
  clock.after(0, () => {
    ran = true
  })
  expect(ran).toBe(false)
  clock.advance(0)
  expect(ran).toBe(true)
})

test('a timer that adds itself again at once is found out', () => {
  const clock = createFakeClock()
  const again = (): void => void clock.after(0, again)
  again()
  expect(() => clock.advance(0)).toThrow(/adds? itself again/)
})

test('advanceAsync lets promises settle between timers', async () => {
  const clock = createFakeClock()
  const log: string[] = []
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve))
  void (async () => {
    await sleep(10)
    log.push('10')
    await sleep(10)
    log.push('20')
  })()
  await clock.advanceAsync(20)
  expect(log).toEqual(['10', '20'])
})

test('seeded chance repeats itself and is spread evenly', () => {
  const draw = (seed: number): number[] => {
    const random = createSeededRandom(seed)
    return Array.from({ length: 10_000 }, () => random.next())
  }
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
  const tenths = new Array<number>(10).fill(0)
  for (const x of draw(3)) tenths[Math.floor(x * 10)]!++
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})
