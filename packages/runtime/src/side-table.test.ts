import { expect, test } from 'vitest'
import { createSideTable } from './side-table.js'

test.each([
  ['an object', {}],
  ['a list', [1]],
  ['a frozen object', Object.freeze({})],
  ['a function', () => {}],
  ['a proxy', new Proxy({}, {})],
])('%s has what was set last, in each table its own', (_, object) => {
  const names = createSideTable<string>()
  const numbers = createSideTable<number>()
  expect(names.of(object)).toBeUndefined()
  names.set(object, 'a')
  names.set(object, 'b')
  numbers.set(object, 0)
  expect([names.of(object), numbers.of(object)]).toEqual(['b', 0])
})

test('what stands beside an object is not of it: a copy has none', () => {
  const table = createSideTable<string>()
  const object = { a: 1 }
  table.set(object, 'x')
  expect(table.of({ ...object })).toBeUndefined()
  expect(table.of(structuredClone(object))).toBeUndefined()
  expect([Reflect.ownKeys(object), JSON.stringify(object)]).toEqual([['a'], '{"a":1}'])
})
