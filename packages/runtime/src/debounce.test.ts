import { expect, test } from 'vitest'
import { createDebounce } from './debounce.js'
import { createFakeClock } from './testing/index.js'

function setup(options: { quietMs?: number; maxMs?: number } = {}) {
  const clock = createFakeClock()
  const runs: [number, string[]][] = []
  const debounce = createDebounce<string>({ clock, run: (items) => runs.push([clock.monotonic(), items]), ...options })
  return { clock, runs, debounce }
}

test('runs after 100 ms of silence with everything since', () => {
  const { clock, runs, debounce } = setup()
  debounce.push('a')
  clock.advance(60)
  debounce.push('b')
  expect(debounce.pending).toBe(2)
  clock.advance(99)
  expect(runs).toEqual([])
  clock.advance(1)
  expect(runs).toEqual([[160, ['a', 'b']]])
  clock.advance(1_000)
  expect(runs).toHaveLength(1)
})

test('never keeps the first waiting for more than 10 s, and holds one timer', () => {
  const { clock, runs, debounce } = setup()
  for (let i = 0; i < 300; i++) {
    debounce.push(`${i}`)
    expect(clock.pending).toBe(1)
    clock.advance(50)
  }
  expect(runs.map(([at]) => at)).toEqual([10_000])
  expect(runs[0]![1]).toHaveLength(200)
})

test('flush runs now, once', () => {
  const { clock, runs, debounce } = setup({ quietMs: 5 })
  debounce.flush()
  debounce.push('a')
  debounce.flush()
  clock.advance(100)
  expect(runs).toEqual([[0, ['a']]])
})

test('a run that throws loses its batch, not the next', () => {
  const clock = createFakeClock()
  const seen: number[][] = []
  const debounce = createDebounce<number>({
    clock,
    run(items) {
      seen.push(items)
      if (seen.length === 1) throw new Error('once')
    },
  })
  debounce.push(1)
  expect(() => clock.advance(100)).toThrow('once')
  debounce.push(2)
  clock.advance(100)
  expect(seen).toEqual([[1], [2]])
})

test('dispose drops what waits and what comes', () => {
  const { clock, runs, debounce } = setup()
  debounce.push('a')
  debounce.dispose()
  debounce.push('b')
  clock.advance(1_000)
  expect(runs).toEqual([])
  expect(clock.pending).toBe(0)
})
