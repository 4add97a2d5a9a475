import { expect, test } from 'vitest'
import { LiteralCache, TokenCache } from './literal-cache.js'

const read = (cache: LiteralCache | TokenCache, name: string, octets: Buffer, huffman = false) =>
  cache.field(name, octets, 0, octets.length, huffman)

test('what comes again is the same field, from the third time on', () => {
  const cache = new LiteralCache()
  const bytes = Buffer.from('text/plain')
  const [first, second, third] = [0, 1, 2].map(() => read(cache, 'content-type', bytes))
  expect(first).toMatchObject({ name: 'content-type', value: 'text/plain', size: 54 })
  expect(second).toEqual(first)
  expect(third).toBe(second)
  bytes.fill('x')
  expect(read(cache, 'content-type', Buffer.from('text/plain'))).toBe(second)
})

test('the same octets under another name, with or without Huffman, are another field', () => {
  const cache = new LiteralCache()
  const octets = Buffer.from('f1e3c2e5f23a6ba0ab90f4ff', 'hex')
  for (let i = 0; i < 4; i++) {
    expect(read(cache, ':authority', octets, true)).toMatchObject({ name: ':authority', value: 'www.example.com' })
    expect(read(cache, 'x-host', octets, true)).toMatchObject({ name: 'x-host', value: 'www.example.com' })
    expect(read(cache, ':authority', octets)?.value).toBe(octets.toString('latin1'))
  }
})

test('secrets are read anew each time, and what cannot be decoded stays so', () => {
  const cache = new LiteralCache()
  const [first, second, third] = [0, 1, 2].map(() => read(cache, 'authorization', Buffer.from('Basic abc')))
  expect(third).toEqual(first)
  expect(third).not.toBe(second)
  for (let i = 0; i < 3; i++) expect(read(cache, 'x-bad', Buffer.from([0x00]), true)).toBeUndefined()
})

test('thousands of values that differ are told apart', () => {
  const cache = new LiteralCache()
  for (let round = 0; round < 3; round++)
    for (let i = 0; i < 5000; i++) expect(read(cache, 'x-id', Buffer.from(`value ${i}`))?.value).toBe(`value ${i}`)
})

test('tokens of a connection are kept, a few at a time, and one that differs in one octet is another', () => {
  const cache = new TokenCache()
  const token = (which: number): Buffer => Buffer.from(`Bearer ${'x'.repeat(300)}.${which}.${'s'.repeat(40)}${which}ending`)
  for (let which = 0; which < 8; which++) {
    const [, second, third] = [0, 1, 2].map(() => read(cache, 'authorization', token(which)))
    expect(third).toBe(second)
  }
  for (let which = 0; which < 8; which++) {
    expect(read(cache, 'authorization', token(which))?.value).toBe(token(which).toString())
    expect(read(cache, 'x-other', token(which))?.name).toBe('x-other')
  }
  const forged = token(7)
  forged[100] = 0x79
  expect(read(cache, 'authorization', forged)?.value).toBe(forged.toString())
})
