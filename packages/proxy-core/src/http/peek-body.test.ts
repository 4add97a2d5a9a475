import { describe, expect, it } from 'vitest'
import { bodyOf, readBody } from './body.js'
import type { Body, BodySink } from './message.js'
import { peekBody, readAhead } from './peek-body.js'

/** A body that the test feeds, chunk by chunk. */
function fed(): { body: Body; sink: () => BodySink; resumed: number } {
  let sink: BodySink | undefined
  const made = {
    resumed: 0,
    sink: () => sink!,
    body: {
      length: undefined,
      consume: (into: BodySink) => void (sink = into),
      pause() {},
      resume: () => void made.resumed++,
      discard() {},
    },
  }
  return made
}

describe('peekBody', () => {
  it.each([
    ['abc', 5, 'abc', true],
    ['abcde', 5, 'abcde', true],
    ['abcdef', 5, 'abcde', false],
  ])('%s up to %i', async (text, limit, bytes, whole) => {
    const peeked = await peekBody(bodyOf(text), limit)
    expect([Buffer.from(peeked.bytes).toString(), peeked.whole]).toEqual([bytes, whole])
    expect(Buffer.from(await readBody(peeked.body, 100)).toString()).toBe(text)
  })

  it('waits for enough, then holds the sender back until somebody reads on', async () => {
    const source = fed()
    const waiting = peekBody(source.body, 4)
    expect(source.sink().data(Buffer.from('ab'))).toBe(true)
    expect(source.sink().data(Buffer.from('cd'))).toBe(false)
    const { body, whole } = await waiting
    expect(whole).toBe(true)
    const reading = readBody(body, 100)
    expect(source.resumed).toBe(1)
    source.sink().data(Buffer.from('ef'))
    source.sink().end()
    expect(Buffer.from(await reading).toString()).toBe('abcdef')
  })

  it('a slow reader gets what is held bit by bit', async () => {
    const source = fed()
    const waiting = peekBody(source.body, 2)
    source.sink().data(Buffer.from('a'))
    source.sink().data(Buffer.from('b'))
    source.sink().end()
    const { body } = await waiting
    const got: string[] = []
    body.consume({ data: (chunk) => got.push(Buffer.from(chunk).toString()) < 0, end: () => got.push('end'), abort() {} })
    expect(got).toEqual(['a'])
    body.resume()
    body.resume()
    expect(got).toEqual(['a', 'b', 'end'])
  })

  it('fails when the sender goes first', async () => {
    const source = fed()
    const waiting = peekBody(source.body, 4)
    source.sink().abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
  })
})

describe('readAhead', () => {
  it('takes what comes up to a limit, and loses none of it', async () => {
    const source = fed()
    const body = readAhead(source.body, 4)
    expect(source.sink().data(Buffer.from('abcd'))).toBe(false)
    const reading = readBody(body, 100)
    source.sink().data(Buffer.from('ef'))
    source.sink().end()
    expect(Buffer.from(await reading).toString()).toBe('abcdef')
  })
})
