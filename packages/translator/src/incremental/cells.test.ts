import { describe, expect, test } from 'vitest'
import { createCells } from './cells.js'

describe('what is overtaken while it is made is made again', () => {
  test('by a signal that it has read', () => {
    const cells = createCells()
    const signal = cells.signal()
    let answer = 1
    const root = cells.root({
      name: 'root',
      make() {
        signal.read()
        const seen = answer
        if (answer === 1) {
          answer = 2
          signal.raise()
        }
        return seen
      },
    })
    expect(root.get()).toBe(2)
  })

  test('by a signal that something behind it has read', () => {
    const cells = createCells()
    const [signal, memo] = [cells.signal(), cells.scope()]
    let answer = 1
    const behind = (): number =>
      memo.of('behind', [], () => {
        signal.read()
        return answer
      })
    const root = cells.root({
      name: 'root',
      make() {
        const seen = behind()
        if (answer === 1) {
          answer = 2
          signal.raise()
        }
        return seen
      },
    })
    expect(root.get()).toBe(2)
  })

  // A value that is made for the first time reads one that hangs on a key, and only then the table, which has changed.
  test('by a table that is compared only then', () => {
    const cells = createCells()
    const memo = cells.scope()
    let texts = new Map([['a', 'old']])
    let wide = false
    const table = (key: string): string | undefined => memo.table('texts', [], () => cells.input('texts', () => texts))(key)
    const ofKey = (): string => memo.of('of key', [], () => `it is ${table('a')}`)
    const first = memo.table('first', [], () => {
      const all = cells.input('wide', () => wide) ? [memo.of('wide', [], () => [ofKey(), table('b')].join())] : [ofKey()]
      return new Map([['all', all.join()]])
    })
    const root = cells.root({ name: 'root', make: () => first('all') })
    root.hold(true)
    expect(root.get()).toBe('it is old')
    wide = true
    texts = new Map([['a', 'new']])
    cells.refresh()
    expect(root.get()).toBe('it is new,')
  })
})

test('a scope that is like another has the very same where it is equal', () => {
  const cells = createCells()
  const first = cells.scope()
  const made = first.of('list', [], () => [1, 2])
  const second = cells.scope(first)
  expect(second.of('list', [], () => [1, 2])).toBe(made)
  expect(second.of('other', [], () => [1, 2])).not.toBe(made)
})

describe('each of a list', () => {
  const objects = Array.from({ length: 70 }, (_, number) => ({ number }))
  const double = ({ number }: { readonly number: number }): number[] => [number * 2]

  test('is made again beside what changed only, wherever it stands', () => {
    const cells = createCells()
    const [memo, other] = [cells.scope(), cells.scope()]
    const read = (list: typeof objects, scope = memo, name = 'doubles'): readonly number[] => scope.each(name, [], list, double)
    const made = (): number => cells.builds.get('doubles') ?? 0
    const expected = (list: typeof objects): number[] => list.flatMap(double)
    expect([read(objects), made()]).toEqual([expected(objects), 3])
    const changed = objects.with(40, { number: 7 })
    expect([read(changed), made()]).toEqual([expected(changed), 4])
    expect([read(objects), made()]).toEqual([expected(objects), 4])
    const shorter = objects.slice(0, 20)
    expect([read(shorter), made()]).toEqual([expected(shorter), 5])
    const later = objects.slice(1)
    expect(read(later)).toEqual(expected(later))
    expect(read(objects, other)).toEqual(expected(objects))
    expect(memo.each('halves', [], objects, ({ number }) => [number / 2])).toEqual(objects.map(({ number }) => number / 2))
    expect(read(objects)).toEqual(expected(objects))
  })
})
