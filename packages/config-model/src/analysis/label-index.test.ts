import { expect, test } from 'vitest'
import { createLabelIndex, formatSelector } from './label-index.js'

test('selects those that have all labels, in their order', () => {
  const index = createLabelIndex([{ a: '1', b: '1' }, { a: '1' }, { b: '1' }], (labels) => labels as Record<string, string>)
  expect(index.select({ a: '1' })).toEqual([{ a: '1', b: '1' }, { a: '1' }])
  expect(index.select({ a: '1', b: '1' })).toEqual([{ a: '1', b: '1' }])
  expect(index.select({ a: '2' })).toEqual([])
  expect(index.select({})).toHaveLength(3)
  expect(index.select(undefined)).toHaveLength(3)
})

test('a selector is written in the order of its labels', () => {
  expect(formatSelector({ b: '2', a: '1' })).toBe('a=1,b=2')
  expect(formatSelector(undefined)).toBe('')
})
