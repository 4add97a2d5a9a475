import type { ResourceSet } from '@heddle/xds-types'
import { expect, test } from 'vitest'
import { createSnapshotCache } from './snapshot-cache.js'

const set = (): ResourceSet => ({ groups: [] })

test('a watch follows its node only, and can be there before it', () => {
  const cache = createSnapshotCache()
  const seen: (ResourceSet | undefined)[] = []
  const watch = cache.watch('n1')
  const stop = watch.subscribe((value) => seen.push(value))
  expect(watch.current).toBeUndefined()
  const [first, second] = [set(), set()]
  cache.set('n1', first)
  cache.set('n2', set())
  cache.set('n1', first)
  cache.set('n1', second)
  cache.clear('n1')
  expect(seen).toEqual([first, second, undefined])
  stop()
  stop()
  cache.set('n1', first)
  expect(seen).toHaveLength(3)
  expect(watch.current).toBe(first)
  expect([...cache.nodeIds()].sort()).toEqual(['n1', 'n2'])
})

test('a watch survives that its node is forgotten and comes back', () => {
  const cache = createSnapshotCache()
  const [one, two] = [cache.watch('n1'), cache.watch('n1')]
  let seen = 0
  const stop = one.subscribe(() => {})
  two.subscribe(() => seen++)
  cache.set('n1', set())
  cache.clear('n1')
  stop()
  cache.set('n1', set())
  expect(seen).toBe(3)
})

test('changes of all nodes are told', () => {
  const cache = createSnapshotCache()
  const told: string[] = []
  const stop = cache.subscribe(({ nodeId, set: value }) => told.push(`${nodeId} ${value === undefined ? 'cleared' : 'set'}`))
  cache.set('a', set())
  cache.clear('a')
  cache.clear('never set')
  stop()
  cache.set('b', set())
  expect(told).toEqual(['a set', 'a cleared'])
})
