import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Body, BodySink } from '../http/message.js'
import { createReplayBody } from './replay-body.js'

/** A body that a test feeds. */
function source(): {
  body: Body
  push(text: string): boolean
  end(): void
  abort(): void
  state: { consumed: number; resumed: number; discarded: boolean }
} {
  let sink: BodySink | undefined
  const state = { consumed: 0, resumed: 0, discarded: false }
  return {
    state,
    body: {
      length: undefined,
      consume(to) {
        state.consumed++
        sink = to
      },
      pause() {},
      resume() {
        state.resumed++
      },
      discard() {
        state.discarded = true
      },
    },
    push(text) {
      // As the wire does it: the bytes are gone after the call.
      const bytes = Buffer.from(text)
      const more = sink?.data(bytes) ?? true
      bytes.fill(0)
      return more
    },
    end: () => sink?.end(),
    abort: () => sink?.abort(new Error('gone')),
  }
}

function reader(body: Body | undefined, patience = Number.POSITIVE_INFINITY): { text: string; ended: boolean; aborted: boolean } {
  const heard = { text: '', ended: false, aborted: false }
  let left = patience
  body?.consume({
    data(chunk) {
      heard.text += Buffer.from(chunk).toString()
      return --left > 0
    },
    end() {
      heard.ended = true
    },
    abort() {
      heard.aborted = true
    },
  })
  return heard
}

describe('a body that is sent again', () => {
  test('every reader hears all of it, whenever it came', () => {
    const from = source()
    const replay = createReplayBody(from.body, 1000)
    const first = reader(replay.open())
    from.push('ab')
    const second = reader(replay.open())
    from.push('cd')
    from.end()
    const third = reader(replay.open())
    for (const heard of [first, second, third]) expect(heard).toEqual({ text: 'abcd', ended: true, aborted: false })
    expect(from.state.consumed).toBe(1)
  })

  test('beyond the limit it goes through once and cannot be sent again', () => {
    const from = source()
    const replay = createReplayBody(from.body, 5)
    const only = reader(replay.open())
    for (const text of ['aaa', 'bbb', 'ccc']) from.push(text)
    from.end()
    expect(only).toEqual({ text: 'aaabbbccc', ended: true, aborted: false })
    expect(replay.replayable).toBe(false)
    expect(replay.open()).toBeUndefined()
  })

  test('a slow reader slows the source, a slow copy does not and is cut off', () => {
    const from = source()
    const replay = createReplayBody(from.body, 10)
    const body = replay.open()!
    const slow = reader(body, 1)
    const copy = reader(replay.open(true), 1)
    expect(from.push('aaaa')).toBe(false)
    expect(from.push('bbbb')).toBe(false)
    expect(from.push('cccc')).toBe(false)
    expect(from.push('dddd')).toBe(false)
    expect(copy).toMatchObject({ text: 'aaaa', aborted: true })
    body.resume()
    expect(slow.text).toBe('aaaabbbbccccdddd'.slice(0, 8))
  })

  test('a source that breaks off tells every reader', () => {
    const from = source()
    const replay = createReplayBody(from.body, 100)
    const heard = reader(replay.open())
    from.push('x')
    from.abort()
    expect(heard).toEqual({ text: 'x', ended: false, aborted: true })
    expect(reader(replay.open())).toMatchObject({ text: 'x', aborted: true })
  })

  test('whatever the chunks and the pauses, each reader hears the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        (chunks, patience) => {
          const from = source()
          const replay = createReplayBody(from.body, 10_000)
          const body = replay.open()!
          const paused = reader(body, patience)
          const eager = reader(replay.open())
          for (const chunk of chunks) from.push(chunk)
          from.end()
          for (let i = 0; i <= chunks.length; i++) body.resume()
          expect(paused).toEqual(eager)
          expect(eager).toEqual({ text: chunks.join(''), ended: true, aborted: false })
        },
      ),
    )
  })
})
