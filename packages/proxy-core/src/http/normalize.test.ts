import { describe, expect, test } from 'vitest'
import { type NormalizeOptions, normalizePath } from './normalize.js'

const options = (overrides: Partial<NormalizeOptions> = {}): NormalizeOptions => ({
  normalizePath: true,
  mergeSlashes: false,
  escapedSlashes: 'KEEP_UNCHANGED',
  ...overrides,
})
const outcome = (path: string, overrides?: Partial<NormalizeOptions>): string => {
  const result = normalizePath(path, options(overrides))
  return result.kind === 'path' ? result.path : result.kind === 'redirect' ? `redirect ${result.path}` : 'reject'
}

describe('normalizePath', () => {
  test.each([
    ['/a/../admin', '/admin'],
    ['/a/./b', '/a/b'],
    ['/a/..', '/'],
    ['/a/b/.', '/a/b/'],
    ['/../../x', '/x'],
    ['/%61dmin', '/admin'],
    ['/%7Euser', '/~user'],
    ['/%2%66admin', '/%252fadmin'],
    ['/%%32fadmin', '/%252fadmin'],
    ['/a/%2e%2e/admin', '/admin'],
    ['/a\\..\\admin', '/admin'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a%zz', '/a%zz'],
    ['//x', '//x'],
    // As Istio's pairs have it; Envoy 1.40 reads a dot segment here.
    ['/a/..;/b', '/a/..;/b'],
    ['/a;x/../b', '/b'],
    ['/x//../admin', '/x/admin'],
    ['/p?a=/../b', '/p?a=/../b'],
    ['/%00', 'reject'],
    ['/a#b', 'reject'],
    ['*', '*'],
  ])('%s becomes %s (CVE-2019-9901)', (path, normal) => {
    expect(outcome(path)).toBe(normal)
  })

  test('a fragment is refused without normalisation as well', () => {
    expect(outcome('/a#b', { normalizePath: false })).toBe('reject')
    expect(outcome('/a/../b', { normalizePath: false })).toBe('/a/../b')
  })

  test('CVE-2021-31920: slashes merge after the dots are gone, and // alone stays', () => {
    expect(outcome('/x//../admin', { mergeSlashes: true })).toBe('/x/admin')
    expect(outcome('//a///b', { mergeSlashes: true })).toBe('/a/b')
    expect(outcome('//', { mergeSlashes: true })).toBe('//')
    expect(outcome('////?q', { mergeSlashes: true })).toBe('//?q')
  })

  test('CVE-2021-29492: escaped slashes: refused, redirected or unescaped', () => {
    expect(outcome('/a%2fb%5Cc', { escapedSlashes: 'REJECT_REQUEST' })).toBe('reject')
    // What Envoy logs of it: unescaped already.
    expect(normalizePath('/a%2f..%5Cc?q', { normalizePath: true, mergeSlashes: true, escapedSlashes: 'REJECT_REQUEST' })).toEqual(
      {
        kind: 'reject',
        path: '/a/..\\c?q',
      },
    )
    expect(outcome('/a%2f..%2fb', { escapedSlashes: 'UNESCAPE_AND_FORWARD' })).toBe('/b')
    expect(outcome('/a%5Cb', { escapedSlashes: 'UNESCAPE_AND_REDIRECT' })).toBe('redirect /a/b')
    expect(outcome('/a?b=%2f', { escapedSlashes: 'REJECT_REQUEST' })).toBe('/a?b=%2f')
  })

  test('normalising twice changes nothing', () => {
    for (const path of ['/a/%2e%2e/b', '/x\\y', '/%7e/./']) expect(outcome(outcome(path))).toBe(outcome(path))
  })
})
