import { expect, it } from 'vitest'
import { createKnownByValues } from './known-by-values.js'

it('finds by equal values, keeps those apart that only join to the same, and stops at its limit', () => {
  const known = createKnownByValues<number>(2)
  known.keep(['a', 'b,c'], 1)
  known.keep(['a,b', 'c'], 2)
  known.keep(['a', 'd'], 3)
  expect([known.get(['a', 'b,c']), known.get(['a,b', 'c']), known.get(['a', 'd']), known.get(['x', 'y'])]).toEqual([
    1,
    2,
    undefined,
    undefined,
  ])
})
