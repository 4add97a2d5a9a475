import { expect, it } from 'vitest'
import { createBucketMap } from './bucket-map.js'

it('changes a copy', () => {
  const entries = Array.from({ length: 2000 }, (_, i) => [`key${i}`, i] as const)
  const first = createBucketMap<number>().with(entries)
  const second = first.with([
    ['key7', undefined],
    ['key8', -8],
    ['new', 1],
  ])
  for (const [key, value] of entries) expect(first.get(key)).toBe(value)
  expect([second.get('key7'), second.get('key8'), second.get('new'), first.get('new')]).toEqual([undefined, -8, 1, undefined])
})
