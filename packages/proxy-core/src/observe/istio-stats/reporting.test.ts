import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createReporting } from './reporting.js'

it('all that is open reports by one timer, which goes with the last of them', () => {
  const clock = createFakeClock()
  const reporting = createReporting(clock, 100)
  const told: string[] = []
  const first = reporting.add(() => told.push('a'))
  clock.advance(60)
  const second = reporting.add(() => told.push('b'))
  clock.advance(40)
  expect(told).toEqual(['a', 'b'])
  first()
  clock.advance(100)
  expect(told).toEqual(['a', 'b', 'b'])
  second()
  expect(clock.pending).toBe(0)
  reporting.add(() => told.push('c'))
  clock.advance(100)
  expect(told).toEqual(['a', 'b', 'b', 'c'])
})

it('never, without an interval', () => {
  const clock = createFakeClock()
  createReporting(clock, 0).add(() => expect.fail())()
  expect(clock.pending).toBe(0)
})
