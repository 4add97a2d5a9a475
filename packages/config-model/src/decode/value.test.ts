import type { Diagnostic } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { fields } from './fields.js'
import { rootSite } from './site.js'
import { stringMatch, stringMatches } from './string-match.js'
import { type Decode, decimal, duration, flag, int32, listOf, mapOf, numberOrName, oneOf, text, uint32 } from './value.js'

function read<T>(decode: Decode<T>, value: unknown): { value: T | undefined; found: Diagnostic[] } {
  const root = rootSite()
  return { value: decode(value, root), found: root.found }
}

it.each<[string, Decode<unknown>, unknown, unknown]>([
  ['text', text, 'a', 'a'],
  ['flag', flag, true, true],
  ['decimal', decimal, '1.5', 1.5],
  ['int32', int32, -3, -3],
  ['int32 as text', int32, '42', 42],
  ['uint32', uint32, 0, 0],
  ['duration', duration, '1m', 60_000],
  ['enum', oneOf('A', 'B'), 'B', 'B'],
  ['enum by number', oneOf('A', 'B'), 1, 'B'],
  ['number or name', numberOrName, '80', 80],
  ['a name', numberOrName, 'http', 'http'],
  ['list', listOf(text), ['a'], ['a']],
  ['map', mapOf(text), { a: 'b' }, { a: 'b' }],
  ['exact', stringMatch, { exact: '' }, { exact: '' }],
  ['prefix', stringMatch, { prefix: '/' }, { prefix: '/' }],
  ['empty match', stringMatch, {}, undefined],
  ['present header', stringMatches, { a: {} }, { a: undefined }],
])('reads %s', (_name, decode, written, wanted) => {
  expect(read(decode, written)).toEqual({ value: wanted, found: [] })
})

it.each<[string, Decode<unknown>, unknown, RegExp]>([
  ['a boolean for text', text, true, /quotes/],
  ['a number for text', text, 1, /must be text, but is the number 1: put it in quotes/],
  ['an object for text', text, {}, /must be text, but is an object/],
  ['text for a flag', flag, 'true', /true or false/],
  ['a fraction', int32, 1.5, /whole number/],
  ['a large number', int32, 2 ** 31, /from -2147483648 to 2147483647/],
  ['a negative number', uint32, -1, /from 0/],
  ['NaN', decimal, 'x', /a number/],
  ['a bare number as duration', duration, 5, /a duration such as 1.5s/],
  ['an unknown enum', oneOf('STRICT', 'DISABLE'), 'FOO', /one of STRICT, DISABLE/],
  ['an enum in other letters', oneOf('STRICT', 'DISABLE'), 'strict', /must be written STRICT/],
  ['two kinds of match', stringMatch, { exact: 'a', prefix: 'b' }, /only one of/],
  ['a bare match', stringMatch, 'jason', /write \{exact: "jason"\}/],
  ['a null match', stringMatches, { a: null }, /cannot be null/],
  ['a null element', listOf(text), [null], /is nil/],
  ['a null value', mapOf(text), { a: null }, /has no value/],
])('refuses %s', (_name, decode, written, message) => {
  const { found } = read(decode, written)
  expect(found).toHaveLength(1)
  expect(found[0]!.message).toMatch(message)
})

interface Thing {
  name: string
  count?: number
}

const thing = fields<Thing>(
  { name: text, count: int32 },
  {
    defaults: { name: 'none' },
    legacy: {
      howMany(value, target, site) {
        const count = int32(value, site)
        if (count !== undefined) target.count = count
      },
    },
  },
)

it('reads fields: defaults, nulls, snake_case and old names', () => {
  expect(read(thing, {})).toEqual({ value: { name: 'none' }, found: [] })
  expect(read(thing, { name: null, count: 1 })).toEqual({ value: { name: 'none', count: 1 }, found: [] })
  expect(read(thing, { how_many: 3 })).toEqual({ value: { name: 'none', count: 3 }, found: [] })
})

it('refuses unknown fields with a suggestion, and goes on', () => {
  const { value, found } = read(thing, { naem: 'x', count: 2 })
  expect(value).toEqual({ name: 'none', count: 2 })
  expect(found).toMatchObject([
    { code: 'config.unknown_field', path: 'naem', message: expect.stringContaining('did you mean name?') },
  ])
  expect(read(thing, { zzz: 1 }).found[0]!.message).toContain('known here: name, count')
})

it('keeps unknown fields of open objects and never touches prototypes', () => {
  const open = fields<Thing>({ name: text, count: int32 }, { open: true, defaults: { name: '' } })
  const { value, found } = read(open, JSON.parse('{"extra": 1, "__proto__": {"polluted": true}}'))
  expect(found).toEqual([])
  expect(value).toEqual({ name: '', extra: 1 })
  expect((value as object as { polluted?: boolean }).polluted).toBeUndefined()
  const map = read(mapOf(text), JSON.parse('{"__proto__": "x"}')).value!
  expect(Object.getPrototypeOf(map)).toBe(Object.prototype)
})
