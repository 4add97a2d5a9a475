import type { HTTPMatchRequest } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { isCatchAll, routeMatch } from './match.js'

describe('routeMatch', () => {
  const cases: [string, HTTPMatchRequest, object][] = [
    ['nothing but a block', {}, { prefix: '/' }],
    ['an exact path', { uri: { exact: '/a' } }, { path: '/a' }],
    ['a prefix', { uri: { prefix: '/a' } }, { prefix: '/a' }],
    ['a regex', { uri: { regex: '/a.*' } }, { safe_regex: { regex: '/a.*' } }],
    [
      'a header',
      { headers: { username: { exact: 'nolen' } } },
      { prefix: '/', headers: [{ name: 'username', string_match: { exact: 'nolen' } }] },
    ],
    ['a header that is there', { headers: { x: undefined } }, { prefix: '/', headers: [{ name: 'x', present_match: true }] }],
    [
      'a header with another value',
      { withoutHeaders: { x: { exact: 'a' } } },
      {
        prefix: '/',
        headers: [{ name: 'x', string_match: { exact: 'a' }, invert_match: true, treat_missing_header_as_empty: true }],
      },
    ],
    [
      'a header that is not there',
      { withoutHeaders: { x: undefined } },
      { prefix: '/', headers: [{ name: 'x', present_match: true, invert_match: true }] },
    ],
    [
      'headers by name, then method and authority',
      { headers: { b: { exact: '2' }, a: { exact: '1' } }, authority: { exact: 'h' }, method: { exact: 'GET' } },
      { prefix: '/', headers: ['a', 'b', ':method', ':authority'].map((name) => expect.objectContaining({ name })) },
    ],
    [
      'a query parameter',
      { queryParams: { q: { exact: '' } } },
      { prefix: '/', query_parameters: [{ name: 'q', string_match: { exact: '' } }] },
    ],
  ]
  test.each(cases)('%s', (_, match, want) => {
    expect(routeMatch(match)).toEqual({ ...want, case_sensitive: true })
  })

  const claim = (path: string[], value: object): object => ({
    filter: 'envoy.filters.http.jwt_authn',
    path: ['payload', ...path].map((key) => ({ key })),
    value: { or_match: { value_matchers: [{ list_match: { one_of: { string_match: value } } }, { string_match: value }] } },
  })
  test.each<[string, HTTPMatchRequest, object[]]>([
    ['a claim', { headers: { '@request.auth.claims.group': { exact: 'a' } } }, [claim(['group'], { exact: 'a' })]],
    ['a nested one', { headers: { '@request.auth.claims[a][b.c]': { prefix: 'x' } } }, [claim(['a', 'b.c'], { prefix: 'x' })]],
    ['with dots', { headers: { '@request.auth.claims.a.b': { exact: 'x' } } }, [claim(['a', 'b'], { exact: 'x' })]],
    [
      'another value',
      { withoutHeaders: { '@request.auth.claims.a': { exact: 'x' } } },
      [{ ...claim(['a'], { exact: 'x' }), invert: true }],
    ],
  ])('claims of the token are no headers: %s', (_, match, want) => {
    expect(routeMatch(match)).toEqual({ prefix: '/', case_sensitive: true, dynamic_metadata: want })
  })

  test('what only begins like a claim is a header', () => {
    expect(routeMatch({ headers: { '@request.auth.claimsx': { exact: 'a' } } }).headers).toHaveLength(1)
  })

  test('no block at all says nothing of case', () => {
    expect(routeMatch(undefined)).toEqual({ prefix: '/' })
  })

  test('case of the path may be ignored', () => {
    expect(routeMatch({ uri: { prefix: '/a' }, ignoreUriCase: true }).case_sensitive).toBe(false)
  })
})

test('only a bare prefix hides later rules', () => {
  expect(isCatchAll(routeMatch({}))).toBe(true)
  expect(isCatchAll(routeMatch({ headers: { a: undefined } }))).toBe(false)
  expect(isCatchAll(routeMatch({ uri: { prefix: '/a' } }))).toBe(false)
})
