import type { Change } from '@heddle/runtime'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSortedList, type Order } from './sorted-list.js'

interface Item {
  readonly id: number
  readonly age: number
}

const order: Order<Item, number> = { keyOf: ({ age }) => age, compare: (a, b) => a - b }

it('is after any batches what sorting gives, whenever somebody looks, and earlier lists stay', () => {
  const write = fc.tuple(fc.nat(40), fc.option(fc.nat(8), { nil: undefined }))
  const batch = fc.tuple(fc.array(write, { maxLength: 12 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 30 }), (batches) => {
      const content = new Map<number, Item>()
      let list = createSortedList(order)
      const seen: [readonly Item[], string][] = []
      for (const [writes, look] of batches) {
        const changes: Change<Item>[] = writes.map(([id, age], i) => {
          const key = String(id)
          const before = content.get(id)
          const after = age === undefined ? undefined : { id, age: age * 1000 + id + i / 100 }
          if (after === undefined) content.delete(id)
          else content.set(id, after)
          return { key, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
        })
        list = list.with(changes)
        if (!look) continue
        const array = list.toArray()
        expect(array).toEqual([...content.values()].sort((a, b) => a.age - b.age))
        expect(list.toArray()).toBe(array)
        seen.push([array, JSON.stringify(array)])
      }
      for (const [array, text] of seen) expect(JSON.stringify(array)).toBe(text)
    }),
    { seed: 1, numRuns: 200 },
  )
})

it('takes out the very element among equals', () => {
  const [a, b] = [
    { id: 1, age: 5 },
    { id: 2, age: 5 },
  ]
  const many = Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, after: { id: i + 10, age: i } }))
  const list = createSortedList(order).with([...many, { key: 'a', after: a }, { key: 'b', after: b }])
  list.toArray()
  const left = list.with([{ key: 'b', before: b }]).toArray()
  expect(left.includes(a)).toBe(true)
  expect(left.includes(b)).toBe(false)
})
