import { expect, test } from 'vitest'
import { createWatch } from './watch.js'

test('tells later values, each change once, and not the current one', () => {
  const watch = createWatch(1)
  const seen: number[] = []
  const stop = watch.subscribe((value) => seen.push(value))
  watch.set(2)
  watch.set(2)
  expect(watch.current).toBe(2)
  stop()
  stop()
  watch.set(3)
  expect(seen).toEqual([2])
})

test('one function subscribed twice is two subscriptions', () => {
  const watch = createWatch('a')
  let calls = 0
  const count = (): void => void calls++
  watch.subscribe(count)()
  watch.subscribe(count)
  watch.subscribe(count)
  watch.set('b')
  expect(calls).toBe(2)
})

test('all hear although one throws; the first error comes out at the end', () => {
  const watch = createWatch(0)
  const seen: number[] = []
  watch.subscribe(() => {
    throw new Error('first')
  })
  watch.subscribe((value) => seen.push(value))
  expect(() => watch.set(1)).toThrow('first')
  expect(seen).toEqual([1])
  expect(watch.current).toBe(1)
})
