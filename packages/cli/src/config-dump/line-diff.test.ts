import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { lineDiff } from './line-diff.js'

const lines = (text: string): string[] => text.split('')

test.each([
  ['abc', 'abc', ''],
  ['', 'a', '@@ -1 +1 @@\n+a\n'],
  ['a', '', '@@ -1 +1 @@\n-a\n'],
  ['abcdefghi', 'abcdeXghi', '@@ -3 +3 @@\n c\n d\n e\n-f\n+X\n g\n h\n i\n'],
  ['abcdefghijkl', 'Xabcdefghijk', '@@ -1 +1 @@\n+X\n a\n b\n c\n@@ -9 +10 @@\n i\n j\n k\n-l\n'],
])('%s to %s', (before, after, wanted) => {
  expect(lineDiff(lines(before), lines(after))).toBe(wanted)
})

test('what is shown turns one into the other, with as few changes as there can be', () => {
  const random = createSeededRandom(7)
  const text = (): string => Array.from({ length: 12 }, () => 'abc'[Math.floor(random.next() * 3)]).join('')
  for (let i = 0; i < 300; i++) {
    const [before, after] = [text(), text()]
    const shown = lineDiff(
      [...lines('<<<'), ...lines(before), ...lines('>>>')],
      [...lines('<<<'), ...lines(after), ...lines('>>>')],
    )
    const marked = (mark: string): number => shown.split('\n').filter((line) => line.startsWith(mark)).length
    expect(marked('-')).toBe(before.length - common(before, after))
    expect(marked('+')).toBe(after.length - common(before, after))
  }
})

test('thousands of changes are told as a whole', () => {
  const before = Array.from({ length: 3000 }, (_, i) => `a${i}`)
  const shown = lineDiff(
    before,
    before.map((line) => `b${line}`),
  ).split('\n')
  expect([shown[1], shown.at(-2)]).toEqual(['-a0', '+ba2999'])
})

/** The length of the longest common subsequence, by the definition. */
function common(a: string, b: string): number {
  if (a === '' || b === '') return 0
  const row = new Array<number>(b.length + 1).fill(0)
  for (const x of a) {
    let diagonal = 0
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0
      row[j] = x === b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1] ?? 0)
      diagonal = above
    }
  }
  return row[b.length] ?? 0
}
