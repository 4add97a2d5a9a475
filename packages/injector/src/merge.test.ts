import { expect, test } from 'vitest'
import { strategicMerge } from './merge.js'

test('objects merge, scalars and plain lists are replaced, null removes', () => {
  const base = { a: { x: 1, y: [1, 2] }, b: 1, c: 2 }
  const merged = strategicMerge(base, { a: { y: [3], z: 4 }, b: null, d: undefined })
  expect(merged).toEqual({ a: { x: 1, y: [3], z: 4 }, c: 2 })
  expect(base).toEqual({ a: { x: 1, y: [1, 2] }, b: 1, c: 2 })
})

test('keyed lists merge by element; the overlay’s new ones come before what only the base has', () => {
  const base = { containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }, { name: 'log' }] }
  const overlay = { containers: [{ name: 'proxy' }, { name: 'app', env: [{ name: 'B', value: '2' }] }] }
  expect(strategicMerge(base, overlay)).toEqual({
    containers: [
      { name: 'proxy' },
      {
        name: 'app',
        env: [
          { name: 'B', value: '2' },
          { name: 'A', value: '1' },
        ],
      },
      { name: 'log' },
    ],
  })
})

test('what both know keeps its place', () => {
  const base = { volumes: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }
  expect(strategicMerge(base, { volumes: [{ name: 'c', x: 1 }] })).toEqual({
    volumes: [{ name: 'a' }, { name: 'b' }, { name: 'c', x: 1 }],
  })
})

test('an empty keyed list says nothing, an empty plain one empties', () => {
  expect(strategicMerge({}, { initContainers: [], args: [] })).toEqual({ args: [] })
})
