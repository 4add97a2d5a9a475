import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equal } from './equal.js'

const copy = (value: unknown): unknown => structuredClone(value)

test.each([
  [1, 1, true],
  [1, '1', false],
  [Number.NaN, Number.NaN, true],
  [0, -0, true],
  [null, undefined, false],
  [null, {}, false],
  [[], {}, false],
  [[1, [2]], [1, [2]], true],
  [[1, 2], [1], false],
  [{ a: 1, b: { c: [] } }, { b: { c: [] }, a: 1 }, true],
  [{ a: undefined }, {}, false],
  [{ a: undefined }, { b: undefined }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [Object.assign(Object.create(null), { a: 1 }), Object.assign(Object.create(null), { a: 1 }), true],
  [new Map([['a', { x: 1 }]]), new Map([['a', { x: 1 }]]), true],
  [new Map([['a', 1]]), new Map([['b', 1]]), false],
  [new Map([['a', 1]]), new Map([['a', 2]]), false],
  [new Set(['a', 'b']), new Set(['b', 'a']), true],
  [new Set(['a']), new Set(['b']), false],
  [Uint8Array.of(1, 2), Uint8Array.of(1, 2), true],
  [Uint8Array.of(1, 2), Uint8Array.of(1, 3), false],
  [Uint8Array.of(1, 2), Int8Array.of(1, 2), false],
  [Uint8Array.of(9, 1).subarray(1), Uint8Array.of(1), true],
  [Uint8Array.of(1), [1], false],
  [new Date(0), new Date(0), false],
  [equal, equal, true],
  [() => 1, () => 1, false],
])('%o and %o: %s', (a, b, wanted) => {
  expect(equal(a, b)).toBe(wanted)
  expect(equal(b, a)).toBe(wanted)
})

test('agrees with serialization on plain data', () => {
  const data = fc.jsonValue({ maxDepth: 3 })
  const sorted = (value: unknown): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : Array.isArray(value)
        ? value.map(sorted)
        : Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => ({ key, item: sorted(item) }))
  fc.assert(
    fc.property(data, data, (a, b) => {
      expect(equal(a, copy(a))).toBe(true)
      expect(equal(a, b)).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)) && Array.isArray(a) === Array.isArray(b))
    }),
    { seed: 1, numRuns: 500 },
  )
})
