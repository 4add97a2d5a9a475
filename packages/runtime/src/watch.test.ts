import { expect, test } from 'vitest'
import { createWatch, mapWatch } from './watch.js'

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

test('a mapped watch builds once per value and announces only what is new', () => {
  const source = createWatch(1)
  let builds = 0
  const parity = mapWatch(source, (value) => {
    builds++
    return value % 2 === 0 ? 'even' : 'odd'
  })
  const seen: string[] = []
  expect(builds).toBe(0)
  const stop = parity.subscribe((value) => seen.push(value))
  expect([parity.current, parity.current, builds]).toEqual(['odd', 'odd', 1])
  source.set(3)
  source.set(4)
  expect([seen, builds]).toEqual([['even'], 3])
  stop()
  source.set(5)
  expect([seen, builds, parity.current]).toEqual([['even'], 3, 'odd'])
})
