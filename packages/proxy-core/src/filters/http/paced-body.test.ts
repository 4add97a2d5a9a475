import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { bodyOf } from '../../http/body.js'
import { paceBody } from './paced-body.js'

describe('a paced body', () => {
  it('lets so many KiB a second through, then ends', () => {
    const clock = createFakeClock()
    const seen: number[] = []
    let ended = false
    paceBody(bodyOf(Buffer.alloc(1024 + 10)), 1, clock).consume({
      data: (chunk) => seen.push(chunk.length) > 0,
      end: () => (ended = true),
      abort() {},
    })
    expect(seen).toEqual([])
    clock.advance(1000)
    expect(seen.reduce((sum, length) => sum + length, 0)).toBe(20 * 51)
    expect(ended).toBe(false)
    clock.advance(50)
    expect([seen.at(-1), ended]).toEqual([14, true])
  })

  it('waits for a sink that has enough', () => {
    const clock = createFakeClock()
    let count = 0
    const body = paceBody(bodyOf(Buffer.alloc(200)), 1, clock)
    body.consume({ data: () => ++count < 0, end() {}, abort() {} })
    clock.advance(5000)
    expect(count).toBe(1)
    body.resume()
    clock.advance(5000)
    expect(count).toBe(2)
  })
})
