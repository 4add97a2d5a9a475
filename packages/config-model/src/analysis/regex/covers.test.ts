import { describe, expect, test } from 'vitest'
import type { StringMatch } from '../../kinds/common.js'
import { type Automaton, compile } from './automaton.js'
import { contains } from './contains.js'
import { createCovers } from './covers.js'
import { parseRegex } from './parse.js'

const covers = (outer: StringMatch, inner: StringMatch): boolean => createCovers()({ match: outer }, { match: inner })
const regex = (pattern: string): StringMatch => ({ regex: pattern })

describe('what takes all that another takes', () => {
  test.each<[StringMatch, StringMatch]>([
    [{ exact: '/a' }, { exact: '/a' }],
    [{ prefix: '/a' }, { exact: '/a/b' }],
    [{ prefix: '/' }, { prefix: '/a' }],
    [regex('.*'), { prefix: '/a' }],
    [regex('/.*'), regex('/api/v[0-9]+/.*')],
    [regex('/api/v\\d+'), { exact: '/api/v12' }],
    [{ prefix: '/api/' }, regex('/api/(users|orders)/[a-z]{2,8}')],
    [regex('/(users|orders)(/.*)?'), { exact: '/orders' }],
    [regex('^/a.+$'), regex('/ab+?')],
    [regex('[^x]*'), regex('[abc]*')],
    [regex('a{2,4}'), regex('aaa?')],
    [{ exact: '/a' }, regex('/a')],
    [regex('[[:alpha:]_]+'), regex('(?:foo|bar)_')],
    [regex('(?P<id>\\w+)\\.html'), regex('x\\x2ehtml')],
  ])('%j covers %j', (outer, inner) => expect(covers(outer, inner)).toBe(true))

  test.each<[StringMatch, StringMatch]>([
    [{ exact: '/a' }, { prefix: '/a' }],
    [{ prefix: '/a/' }, { prefix: '/a' }],
    [regex('/api/v[0-9]'), regex('/api/v[0-9]+')],
    [regex('/api/v\\d+'), { prefix: '/api/v1' }],
    [{ prefix: '/api' }, regex('/(api|web)')],
    [regex('[a-y]*'), regex('[a-z]*')],
    [regex('a{2,4}'), regex('a{1,4}')],
    [regex('a+'), regex('a*')],
    // What is not modelled is never told.
    [regex('(?i).*'), { exact: '/a' }],
    [regex('\\pL.*'), regex('\\pL')],
    [regex('.*\\bx'), { exact: 'x' }],
    [regex('(a{90}){90}.*|.*'), regex('a')],
  ])('%j does not cover %j', (outer, inner) => expect(covers(outer, inner)).toBe(false))

  test('case', () => {
    const ask = createCovers()
    expect(ask({ match: { prefix: '/Shop' }, ignoreCase: true }, { match: { exact: '/SHOP/1' } })).toBe(true)
    expect(ask({ match: { prefix: '/shop' } }, { match: { exact: '/shop/1' }, ignoreCase: true })).toBe(false)
    expect(ask({ match: { regex: '/[a-z]+' } }, { match: { exact: '/shop' }, ignoreCase: true })).toBe(false)
    expect(ask({ match: { regex: '/[a-zA-Z]+' } }, { match: { exact: '/shop' }, ignoreCase: true })).toBe(true)
  })
})

test('containment agrees with JavaScript’s regexes on all short texts', () => {
  const patterns = ['a*', 'a+', '(ab)*', 'a?b?', '[ab]*', 'a*b*', '(a|b)b', 'b{1,2}', '[^a]b*', '(a+b?)+', 'ba|ab', '']
  const texts = ['']
  for (const text of texts) if (text.length < 5) texts.push(`${text}a`, `${text}b`, `${text}c`)
  const automaton = (pattern: string): Automaton => compile(parseRegex(pattern)!)!
  const accepts = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`).test(text)
  let covered = 0
  for (const outer of patterns) {
    for (const inner of patterns) {
      const found = contains(automaton(outer), automaton(inner), { left: 1e6 })
      if (found) covered++
      expect(found, `${outer} contains ${inner}`).toBe(texts.every((text) => !accepts(inner, text) || accepts(outer, text)))
    }
  }
  expect(covered).toBeGreaterThan(patterns.length)
})

test('gives up, rather than taking long', () => {
  const hard = compile(parseRegex('(a|b)*a(a|b){14}')!)!
  const budget = { left: 200_000 }
  expect(contains(hard, hard, budget)).toBe(false)
  expect(budget.left).toBeLessThan(0)
})
