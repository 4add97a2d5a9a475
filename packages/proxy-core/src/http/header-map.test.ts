import { describe, expect, test } from 'vitest'
import { createHeaderMap } from './header-map.js'

describe('HeaderMap', () => {
  test('keeps every line in order and finds names without case', () => {
    const headers = createHeaderMap([
      ['X-A', 'one'],
      ['host', 'h'],
      ['x-a', 'two'],
    ])
    expect([...headers]).toEqual([
      ['x-a', 'one'],
      ['host', 'h'],
      ['x-a', 'two'],
    ])
    expect(headers.get('X-a')).toBe('one')
    expect(headers.getAll('x-A')).toEqual(['one', 'two'])
    expect(headers.has('HOST')).toBe(true)
    expect(headers.get('absent')).toBeUndefined()
  })

  test('set leaves one line where the first stood', () => {
    const headers = createHeaderMap([
      ['x-a', 'one'],
      ['x-b', 'b'],
      ['x-a', 'two'],
    ])
    headers.set('X-A', 'new')
    headers.set('X-C', 'c')
    expect([...headers.entries()]).toEqual([
      ['x-a', 'new'],
      ['x-b', 'b'],
      ['x-c', 'c'],
    ])
  })

  test('delete removes every line and says whether there was one', () => {
    const headers = createHeaderMap([
      ['x-a', 'one'],
      ['x-b', 'b'],
      ['x-a', 'two'],
    ])
    expect(headers.delete('X-A')).toBe(true)
    expect(headers.delete('x-a')).toBe(false)
    expect([...headers]).toEqual([['x-b', 'b']])
    headers.deleteWhere((name) => name === 'x-b')
    expect(headers.size).toBe(0)
  })

  test('names of Object.prototype and index names are names like any other', () => {
    const headers = createHeaderMap([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['0', 'zero'],
    ])
    expect(headers.get('__proto__')).toBe('p')
    expect(headers.get('constructor')).toBe('c')
    expect(headers.get('0')).toBe('zero')
    expect(headers.get('toString')).toBeUndefined()
  })

  test('only ASCII letters fold: the Kelvin sign is not a k', () => {
    expect(createHeaderMap([['cookie', 'c']]).get('coo\u212Aie')).toBeUndefined()
  })

  test('a clone is independent', () => {
    const headers = createHeaderMap([['a', '1']])
    const copy = headers.clone()
    copy.set('a', '2')
    expect(headers.get('a')).toBe('1')
  })
})
