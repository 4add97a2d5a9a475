import { describe, expect, it } from 'vitest'
import type { Head } from './head.js'
import { readTarget } from './target.js'

const read = (target: string, method = 'GET'): unknown => readTarget({ method, target, host: 'field' } as Head, 'http')

describe('request targets', () => {
  it.each([
    ['/a?b', { scheme: 'http', authority: 'field', path: '/a?b' }],
    ['HTTPS://Host:1/a', { scheme: 'https', authority: 'Host:1', path: '/a' }],
    ['http://host', { scheme: 'http', authority: 'host', path: '/' }],
    // No path: it is refused later, as whatever does not start with a slash.
    ['http://host?q', { scheme: 'http', authority: 'host', path: '?q' }],
  ])('%s is read', (target, want) => {
    expect(read(target)).toEqual(want)
  })

  it.each([
    ['ftp://host/', 'http1.invalid_scheme'],
    ['relative', 'http1.codec_error'],
    ['http://', 'http1.invalid_url'],
    ['http://user@host/', 'http1.invalid_url'],
  ])('%s is %s', (target, details) => {
    expect(read(target)).toMatchObject({ status: 400, details })
  })

  it('is a path and nothing else where absolute ones are not allowed', () => {
    const head = { method: 'GET', target: 'http://host/a', host: 'field' } as Head
    expect(readTarget(head, 'http', true)).toEqual({ scheme: 'http', authority: 'field', path: 'http://host/a' })
  })

  it('takes the authority of a CONNECT, and the star of OPTIONS alone', () => {
    expect(read('host:443', 'CONNECT')).toEqual({ scheme: 'http', authority: 'host:443', path: '' })
    for (const target of ['host', 'host:', 'user@host:1', '/a', 'a/b:1'])
      expect(read(target, 'CONNECT')).toMatchObject({ details: 'http1.invalid_url' })
    expect(read('[::1]:443', 'CONNECT')).toMatchObject({ authority: '[::1]:443' })
    expect(read('*', 'OPTIONS')).toMatchObject({ path: '*' })
    expect(read('*')).toMatchObject({ details: 'http1.invalid_url' })
  })
})
