import { describe, expect, it } from 'vitest'
import { compileMessage } from '../config/fields.js'
import { head } from '../testing.js'
import { createCidr, createCidrSet } from './cidr.js'
import { compileHeaderMatcher } from './header.js'
import { parseIp } from './ip.js'
import { compileQueryMatcher, queryParameter } from './query.js'
import { compileRegex, MAX_PATTERN_LENGTH } from './regex.js'
import { compileStringMatcher } from './string.js'
import { compileMetadataMatcher } from './value.js'

function compiled<T extends object, R>(json: T, build: (fields: never) => R): R {
  const result = compileMessage(json, '', build as never)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value as R
}

describe('string matchers', () => {
  it.each([
    [{ exact: 'a' }, 'a', true],
    [{ exact: 'a' }, 'A', false],
    [{ exact: 'a', ignore_case: true }, 'A', true],
    [{ prefix: '/api' }, '/apis', true],
    [{ suffix: '.js' }, 'a.js', true],
    [{ contains: 'BC', ignore_case: true }, 'abcd', true],
    [{ safe_regex: { regex: 'a.c' } }, 'abc', true],
    [{ safe_regex: { regex: 'a.c' } }, 'xabc', false],
    [{ safe_regex: { regex: 'b' } }, 'abc', false],
    [{ exact: 'k', ignore_case: true }, '\u212a', false],
  ])('%j on %j is %j', (json, value, want) => {
    expect(compiled(json, compileStringMatcher).matches(value)).toBe(want)
  })

  it('needs a pattern', () => {
    expect(compileMessage({}, 'm', compileStringMatcher).ok).toBe(false)
    expect(compileMessage({ custom: {} }, 'm', compileStringMatcher as never)).toMatchObject({
      diagnostics: [{ path: 'm.custom' }],
    })
  })
})

describe('header matchers', () => {
  it.each([
    [{ string_match: { exact: 'one' } }, ['one', 'two'], true],
    [{ string_match: { exact: 'two' } }, ['one', 'two'], true],
    [{ string_match: { exact: 'one' } }, ['one,two'], false],
    [{ string_match: { exact: 'one' }, invert_match: true }, ['one', 'two'], false],
    [{ string_match: { exact: 'one' }, invert_match: true }, ['two'], true],
    [{ string_match: { exact: 'one' }, invert_match: true }, [], false],
    [{ string_match: { exact: 'one' }, invert_match: true, treat_missing_header_as_empty: true }, [], true],
    [{ exact_match: '', treat_missing_header_as_empty: true }, [], true],
    [{ present_match: true }, ['x'], true],
    [{ present_match: false }, [], true],
    [{ present_match: true, invert_match: true }, [], true],
    [{ present_match: true, treat_missing_header_as_empty: true }, [], true],
    [{ present_match: false, treat_missing_header_as_empty: true }, [], false],
    [{ present_match: true, treat_missing_header_as_empty: true, invert_match: true }, [], false],
    [{}, ['x'], true],
    [{}, [], false],
    [{ prefix_match: 'a' }, ['ab'], true],
    [{ suffix_match: 'b' }, ['ab'], true],
    [{ contains_match: 'x' }, ['ab'], false],
    [{ safe_regex_match: { regex: '[a-z]+' } }, ['ab1'], false],
    [{ range_match: { start: '1', end: '10' } }, ['+3'], true],
    [{ range_match: { start: '1', end: '10' } }, ['10'], false],
    [{ range_match: { start: '1', end: '10' } }, ['9.5'], false],
    [{ range_match: { start: '1', end: '10' } }, ['9a'], false],
    [{ range_match: { start: '1', end: '10' }, invert_match: true }, ['text'], true],
    [{ range_match: { start: '1', end: '10' }, invert_match: true }, [], false],
  ])('%j on %j is %j', (json, values, want) => {
    const matcher = compiled({ name: 'X-A', ...json }, compileHeaderMatcher)
    expect(matcher.matches(head('/', { 'x-a': values }))).toBe(want)
  })

  it('knows pseudo headers, and host as another name of :authority', () => {
    for (const [name, exact] of [
      [':method', 'GET'],
      [':path', '/p?q'],
      [':authority', 'example.com'],
      ['host', 'example.com'],
      [':scheme', 'http'],
    ]) {
      expect(compiled({ name, string_match: { exact } }, compileHeaderMatcher).matches(head('/p?q'))).toBe(true)
    }
  })
})

describe('query parameters', () => {
  it.each([
    ['/?k=v', 'k', 'v'],
    ['/?k=%76', 'k', '%76'],
    ['/?k=1&k=2', 'k', '1'],
    ['/?k', 'k', ''],
    ['/?a=1&k=', 'k', ''],
    ['/?a=1;k=2', 'k', undefined],
    ['/?x?k=1', 'k', undefined],
    ['/?x?k=1', 'x?k', '1'],
    ['/?kk=1', 'k', undefined],
    ['/path', 'k', undefined],
  ])('%s has %s %j', (path, name, value) => {
    expect(queryParameter(path, name)).toBe(value)
  })

  it('matches values and presence', () => {
    expect(compiled({ name: 'a', string_match: { exact: '' } }, compileQueryMatcher).matches(undefined)).toBe(false)
    expect(compiled({ name: 'a', present_match: false }, compileQueryMatcher).matches(undefined)).toBe(true)
  })
})

describe('regular expressions', () => {
  it('take linear time where a backtracking engine hangs', () => {
    const result = compileRegex('(a+)+$', '')
    expect(result.ok && result.value.matchesAll(`${'a'.repeat(5000)}b`)).toBe(false)
  })

  it('refuses long and foreign patterns with the path (CVE-2022-39278)', () => {
    expect(compileRegex('a'.repeat(MAX_PATTERN_LENGTH + 1), 'p')).toMatchObject({ ok: false, diagnostics: [{ path: 'p' }] })
    expect(compileRegex('(?=a)', 'q')).toMatchObject({ ok: false, diagnostics: [{ path: 'q', code: 'regex.invalid' }] })
    expect(compileRegex('(a)\\1', 'r').ok).toBe(false)
  })

  it('substitutes groups in RE2 syntax', () => {
    const result = compileRegex('/(\\w+)/(\\d+)', '')
    expect(result.ok && result.value.replaceAll('/a/1-/b/2', '<\\2 \\1 \\\\ $1>')).toBe('<1 a \\ $1>-<2 b \\ $1>')
  })
})

describe('addresses', () => {
  it.each([
    ['1.2.3.4', 32],
    ['::ffff:1.2.3.4', 32],
    ['::1', 128],
    ['2001:db8::1', 128],
  ])('%s is an address', (text, bits) => {
    expect(parseIp(text)?.bits).toBe(bits)
  })

  it.each([
    '',
    '1.2.3',
    '1.2.3.04',
    '256.1.1.1',
    'fe80::1%eth0',
    '1::2::3',
    '12345::',
    ':::',
    'g::',
    '1:2:3:4:5:6:7',
    '/tmp/sock',
  ])('%s is none (CVE-2026-26310)', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it.each([
    ['10.0.0.0', 8, '10.255.0.1', true],
    ['10.0.0.0', 8, '11.0.0.1', false],
    ['0.0.0.0', 0, '9.9.9.9', true],
    ['10.0.0.7', 32, '::ffff:10.0.0.7', true],
    ['::ffff:10.0.0.0', 104, '10.1.1.1', true],
    ['2001:db8::', 32, '2001:db8:1::1', true],
    ['::', 0, '10.0.0.1', false],
  ])('%s/%d holds %s: %j', (address, length, ip, want) => {
    expect(createCidrSet([createCidr(address, length)!])(ip)).toBe(want)
  })

  it('refuses lengths that the family does not have', () => {
    expect(createCidr('10.0.0.0', 33)).toBeUndefined()
    expect(createCidr('nonsense', 8)).toBeUndefined()
  })
})

describe('metadata', () => {
  const metadata = new Map([['jwt', { payload: { iss: 'me', groups: ['a', 'b'], admin: true, level: 3 } }]])
  const path = (...keys: string[]) => keys.map((key) => ({ key }))
  it.each([
    [{ path: path('payload', 'iss'), value: { string_match: { exact: 'me' } } }, true],
    [{ path: path('payload', 'groups'), value: { list_match: { one_of: { string_match: { exact: 'b' } } } } }, true],
    [{ path: path('payload', 'groups'), value: { string_match: { exact: 'b' } } }, false],
    [{ path: path('payload', 'admin'), value: { bool_match: true } }, true],
    [{ path: path('payload', 'level'), value: { double_match: { range: { start: 3, end: 4 } } } }, true],
    [{ path: path('payload', 'gone'), value: { present_match: true } }, false],
    [{ path: path('payload', '__proto__'), value: { present_match: true } }, false],
    [{ path: path('payload', 'gone'), value: { present_match: true }, invert: true }, true],
    [
      {
        path: path('payload', 'iss'),
        value: { or_match: { value_matchers: [{ null_match: {} }, { string_match: { prefix: 'm' } }] } },
      },
      true,
    ],
  ])('%j is %j', (json, want) => {
    expect(compiled({ filter: 'jwt', ...json }, compileMetadataMatcher).matches(metadata)).toBe(want)
  })
})
