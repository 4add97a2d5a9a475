import { resolveHost } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { bySpecificity, hostSubsetOf, hostsOverlap, intersectHosts, mostSpecific, shortNames } from './hosts.js'

describe('hostSubsetOf', () => {
  test.each([
    ['a.b', 'a.b', true],
    ['a.b', '*', true],
    ['a.b', '*.b', true],
    ['b', '*.b', false],
    ['*.a.b', '*.b', true],
    ['*.b', '*.a.b', false],
    ['*.b', 'a.b', false],
    ['*', '*', true],
  ])('%s within %s: %s', (specific, general, want) => {
    expect(hostSubsetOf(specific, general)).toBe(want)
  })
})

test('hosts overlap in either direction', () => {
  expect(hostsOverlap('*.b', 'a.b')).toBe(true)
  expect(hostsOverlap('a.b', '*.b')).toBe(true)
  expect(hostsOverlap('*.a.b', '*.b')).toBe(true)
  expect(hostsOverlap('*.a.b', '*.c.b')).toBe(false)
})

test('an intersection keeps the more specific name of each pair, once', () => {
  expect(intersectHosts(['*.foo', 'x.bar'], ['a.foo', '*.bar', 'b.baz'])).toEqual(['a.foo', 'x.bar'])
  expect(intersectHosts(['a.foo', 'b.foo'], ['a.foo', 'b.foo'])).toEqual(['a.foo', 'b.foo'])
  expect(intersectHosts(['a.foo', 'a.foo'], ['a.foo', 'a.foo'])).toEqual(['a.foo'])
  expect(intersectHosts(['x.foo', '*.foo'], ['x.foo', '*.foo'])).toEqual(['x.foo', '*.foo'])
})

test('specific names come first', () => {
  expect(['*', '*.b', 'b.c', '*.a.b', 'a.b.c'].sort(bySpecificity)).toEqual(['a.b.c', 'b.c', '*.a.b', '*.b', '*'])
})

test('the longest wildcard wins, an exact name over all', () => {
  const index = new Map([
    ['*.b', 1],
    ['*.a.b', 2],
    ['x.a.b', 3],
  ])
  expect([
    mostSpecific('x.a.b', index),
    mostSpecific('y.a.b', index),
    mostSpecific('y.b', index),
    mostSpecific('z', index),
  ]).toEqual([3, 2, 1, undefined])
})

test('a short name belongs to the namespace of its object', () => {
  expect(resolveHost('Reviews', 'shop', 'cluster.local')).toBe('reviews.shop.svc.cluster.local')
  expect(resolveHost('example.com', 'shop', 'cluster.local')).toBe('example.com')
  expect(resolveHost('*', 'shop', 'cluster.local')).toBe('*')
})

test('short names of a service depend on where the client is', () => {
  expect(shortNames('tea.shop.svc.cluster.local', 'shop.svc.cluster.local')).toEqual(['tea', 'tea.shop.svc', 'tea.shop'])
  expect(shortNames('tea.shop.svc.cluster.local', 'home.svc.cluster.local')).toEqual(['tea.shop', 'tea.shop.svc'])
  expect(shortNames('tea.example', 'home.svc.cluster.local')).toEqual([])
})
