import { expect, test } from 'vitest'
import { lineDiff } from './line-diff.js'

const lines = (text: string): string[] => text.split('')

test.each([
  ['abc', 'abc', ''],
  ['', 'a', '@@ -0,0 +1 @@\n+a\n'],
  ['a', '', '@@ -1 +0,0 @@\n-a\n'],
  ['abcdefghi', 'abcdeXghi', '@@ -3,7 +3,7 @@\n c\n d\n e\n-f\n+X\n g\n h\n i\n'],
  ['abcdefghijkl', 'Xabcdefghijk', '@@ -1,3 +1,4 @@\n+X\n a\n b\n c\n@@ -9,4 +10,3 @@\n i\n j\n k\n-l\n'],
])('%s to %s', (before, after, wanted) => {
  expect(lineDiff(lines(before), lines(after))).toBe(wanted)
})

test('thousands of changes are told as a whole', () => {
  const before = Array.from({ length: 3000 }, (_, i) => `a${i}`)
  const shown = lineDiff(
    before,
    before.map((line) => `b${line}`),
  ).split('\n')
  expect([shown[1], shown.at(-2)]).toEqual(['-a0', '+ba2999'])
})
