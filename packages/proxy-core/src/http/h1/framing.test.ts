import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyFraming } from './framing.js'

interface Outcome {
  readonly payload: string
  readonly done: boolean
  readonly broken: boolean
  /** Bytes behind the body. */
  readonly rest: string
  readonly runs: number
}

function chunked(pieces: readonly Buffer[]): Outcome {
  const framing = new BodyFraming()
  framing.begin('chunked', 0, 1024, 4)
  let payload = ''
  let runs = 0
  for (const [i, piece] of pieces.entries()) {
    const bytes = Buffer.from(piece)
    const stopped = framing.eat(bytes, 0, bytes.length)
    if (stopped < 0) return { payload, done: false, broken: true, rest: '', runs }
    if (framing.to > framing.from) runs++
    payload += bytes.toString('latin1', framing.from, framing.to)
    if (framing.done)
      return {
        payload,
        done: true,
        broken: false,
        rest: Buffer.concat([bytes.subarray(stopped), ...pieces.slice(i + 1)]).toString('latin1'),
        runs,
      }
  }
  return { payload, done: false, broken: false, rest: '', runs }
}

const whole = (text: string): Outcome => chunked([Buffer.from(text, 'latin1')])

describe('chunked bodies', () => {
  test('sizes in either case, extensions and trailers are taken off, what follows stays', () => {
    expect(whole('A;a=b;c="d"\r\n0123456789\r\n1\r\nx\r\n0\r\nx-t: v\r\ny-t:w\r\n\r\nGET /')).toEqual({
      payload: '0123456789x',
      done: true,
      broken: false,
      rest: 'GET /',
      runs: 1,
    })
  })

  test.each([
    ['no size', '\r\nabc'],
    ['a size that is no number', 'g\r\n'],
    ['a signed size', '-1\r\n'],
    ['0x', '0x1\r\na\r\n'],
    ['a bare LF after the size', '1\na\r\n'],
    ['CR without LF after the size (CVE-2025-23167)', '1\rXa\r\n'],
    ['a longer chunk than was said', '3\r\nabcd\r\n'],
    ['a bare LF after the data', '1\r\na\n'],
    ['a huge size', 'ffffffffffffffff\r\n'],
    ['a bad trailer', '0\r\nx t: v\r\n\r\n'],
    ['NUL in a trailer', '0\r\nx: \0\r\n\r\n'],
    ['too many trailers', `0\r\n${'x: y\r\n'.repeat(5)}\r\n`],
    ['an endless extension', `1;${'x'.repeat(2000)}\r\n`],
    ['NUL in an extension', '1;a\0b\r\n'],
  ])('refused: %s', (_, text) => {
    expect(whole(text).broken).toBe(true)
  })

  test('cut anywhere, however small the chunks, the payload is the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 10 }),
        fc.array(fc.nat(40), { maxLength: 30 }),
        (chunks, cuts) => {
          const parts = chunks.map((text) => Buffer.from(text))
          const wire = Buffer.concat([
            ...parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
            Buffer.from('0\r\n\r\nnext'),
          ])
          const pieces: Buffer[] = []
          let at = 0
          for (const cut of cuts) {
            pieces.push(wire.subarray(at, at + cut))
            at = Math.min(wire.length, at + cut)
          }
          pieces.push(wire.subarray(at))
          const outcome = chunked(pieces)
          expect(outcome).toMatchObject({ done: true, broken: false, rest: 'next' })
          expect(outcome.payload).toBe(Buffer.concat(parts).toString('latin1'))
        },
      ),
    )
  })

  test('thousands of one-byte chunks come out in one run (CVE-2020-8659)', () => {
    expect(whole(`${'1\r\nx\r\n'.repeat(5000)}0\r\n\r\n`)).toMatchObject({ runs: 1, payload: 'x'.repeat(5000) })
  })

  test('any bytes are payload, an end or broken, and never crash', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void chunked([Buffer.from(bytes)])))
  })
})

test('a body of known length takes so much and no more', () => {
  const framing = new BodyFraming()
  framing.begin('length', 5, 0, 0)
  const bytes = Buffer.from('helloGET')
  expect(framing.eat(bytes, 0, 3)).toBe(3)
  expect(framing.done).toBe(false)
  expect(framing.eat(bytes, 3, 8)).toBe(5)
  expect(framing.done).toBe(true)
})
