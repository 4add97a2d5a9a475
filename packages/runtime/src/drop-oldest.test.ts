import { expect, test } from 'vitest'
import { dropOldest } from './drop-oldest.js'

test('above the limit the first goes, and what was used again stays', () => {
  const map = new Map([
    [1, 'a'],
    [2, 'b'],
  ])
  dropOldest(map, 2)
  expect([...map.keys()]).toEqual([1, 2])
  map.delete(1)
  map.set(1, 'a')
  map.set(3, 'c')
  dropOldest(map, 2)
  expect([...map.keys()]).toEqual([1, 3])
})

test('of none nothing is kept', () => {
  const map = new Map([['only', 1]])
  dropOldest(map, 0)
  expect(map.size).toBe(0)
})
