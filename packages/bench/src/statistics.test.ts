import { expect, it } from 'vitest'
import { median, mediansByName, percentile, spread } from './statistics.js'

it('takes the middle, and the mean of the middle two', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(() => median([])).toThrow(RangeError)
})

it('says how far apart values lie, against their median', () => {
  expect(spread([1, 1, 1])).toBe(0)
  expect(spread([0.9, 1, 1.2])).toBeCloseTo(0.3)
})

it('takes percentiles by rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  expect(percentile(hundred, 0.99)).toBe(99)
  expect(percentile([7], 0.5)).toBe(7)
})

it('keeps figures that not every sample has', () => {
  expect(mediansByName([{ a: 1, b: 5 }, { a: 3 }])).toEqual({ a: 2, b: 5 })
})
