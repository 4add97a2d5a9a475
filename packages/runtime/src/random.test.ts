import { expect, test } from 'vitest'
import { systemRandom } from './random.js'

test('numbers lie in [0, 1)', () => {
  const drawn = Array.from({ length: 1_000 }, () => systemRandom.next())
  expect(drawn.every((x) => x >= 0 && x < 1)).toBe(true)
  expect(new Set(drawn).size).toBeGreaterThan(990)
})
