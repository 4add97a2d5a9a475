import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createNamedValues } from '../state/named-values.js'
import { type Need, warm } from './warming.js'

function setUp(names: readonly string[], timeoutMs = 15_000) {
  const clock = createFakeClock()
  const values = createNamedValues<string>()
  const needs = names.map(
    (name): Need => ({ what: name, settled: () => values.settled(name), onSettled: (run) => values.onSettled(name, run) }),
  )
  const readyWith: (readonly string[])[] = []
  const start = () => warm({ needs, timeoutMs, clock, ready: (missing) => readyWith.push(missing) })
  return { clock, values, readyWith, start }
}

describe('warming', () => {
  it('is over at once when nothing is missing: what is here has no timer (line 93)', () => {
    const { values, readyWith, start, clock } = setUp(['a', 'b'])
    values.set('a', '1')
    values.markAbsent('b')
    start()
    expect(readyWith).toEqual([[]])
    expect(clock.pending).toBe(0)
  })

  it('waits for the last need, and for nothing after that', () => {
    const { values, readyWith, start, clock } = setUp(['a', 'b'])
    start()
    values.set('a', '1')
    values.set('a', '2')
    expect(readyWith).toEqual([])
    values.set('b', '1')
    expect(readyWith).toEqual([[]])
    clock.advance(60_000)
    expect(readyWith).toHaveLength(1)
  })

  it('goes on without what does not come in time, and names it (line 93)', () => {
    const { values, readyWith, start, clock } = setUp(['a', 'b'])
    start()
    clock.advance(14_000)
    values.set('a', '1')
    expect(readyWith).toEqual([])
    clock.advance(1000)
    expect(readyWith).toEqual([['b']])
    values.set('b', '1')
    expect(readyWith).toHaveLength(1)
  })

  it('waits for ever with a timeout of 0', () => {
    const { readyWith, start, clock } = setUp(['a'], 0)
    start()
    clock.advance(3_600_000)
    expect(readyWith).toEqual([])
  })

  it('has a need that says its own time, and hears that it did not come', () => {
    const clock = createFakeClock()
    const values = createNamedValues<string>()
    const told: string[] = []
    const need = (what: string, timeoutMs?: number): Need => ({
      what,
      ...(timeoutMs !== undefined && { timeoutMs }),
      settled: () => values.settled(what),
      onSettled: (run) => values.onSettled(what, run),
      expired: () => told.push(`${what} at ${clock.now() - began}`),
    })
    const began = clock.now()
    warm({
      needs: [need('a', 500), need('b'), need('c', 0)],
      timeoutMs: 1000,
      clock,
      ready: (missing) => told.push(missing.join()),
    })
    clock.advance(5000)
    expect(told).toEqual(['a at 500', 'b at 1000'])
    values.set('a', 'after its time')
    values.set('c', '1')
    expect(told[2]).toBe('a,b')
    expect(clock.pending).toBe(0)
  })

  it('can be given up', () => {
    const { values, readyWith, start, clock } = setUp(['a'])
    start()()
    values.set('a', '1')
    clock.advance(20_000)
    expect(readyWith).toEqual([])
  })
})
