import { expect, test } from 'vitest'
import type { Http2Stream } from './stream.js'
import { StreamSlots } from './stream-slots.js'

const stream = (id: number): Http2Stream => ({ id }) as Http2Stream

test('streams come and go as in a Map, those that stay among thousands included', () => {
  const slots = new StreamSlots()
  const model = new Map<number, Http2Stream>()
  let seed = 7
  const below = (limit: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed % limit
  }
  for (let id = 1; id < 40_001; id += 2) {
    const one = stream(id)
    slots.add(one)
    model.set(id, one)
    // A few stay for good; the others are over after a while, in any order.
    while (model.size > 40) {
      const ids = [...model.keys()]
      const gone = model.get(ids[5 + below(ids.length - 5)]!)!
      expect(slots.delete(gone)).toBe(true)
      expect(slots.delete(gone)).toBe(false)
      model.delete(gone.id)
    }
    if (id % 97 !== 0) continue
    expect(slots.size).toBe(model.size)
    expect(slots.all()).toEqual([...model.values()])
    for (const [key, value] of model) expect(slots.get(key)).toBe(value)
    expect(slots.get(id + 2)).toBeUndefined()
  }
})
