import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createAdmission } from './admission.js'
import { DEFAULT_LIMITS } from './limits.js'
import { STATUS } from './transport.js'

const who = (id: string): { id: string } => ({ id })

test('streams are counted in all and by identity; a place that is left can be taken (line 81)', () => {
  const admission = createAdmission({ ...DEFAULT_LIMITS, streams: 4, streamsPerIdentity: 2 }, createFakeClock())
  const enter = (id: string): number => admission.enter(who(id))?.code ?? 0
  expect([enter('a'), enter('a'), enter('a')]).toEqual([0, 0, STATUS.resourceExhausted])
  expect([enter(''), enter('b'), enter('')]).toEqual([0, 0, STATUS.resourceExhausted])
  admission.leave(who('a'))
  expect([enter('b'), enter('b')]).toEqual([0, STATUS.resourceExhausted])
})

test('nobody’s streams have no limit of their own', () => {
  const admission = createAdmission({ ...DEFAULT_LIMITS, streamsPerIdentity: 1 }, createFakeClock())
  expect([admission.enter(who('')), admission.enter(who(''))]).toEqual([undefined, undefined])
})

test('new streams come at a rate, with a burst above it (line 80)', () => {
  const clock = createFakeClock()
  const admission = createAdmission({ ...DEFAULT_LIMITS, newStreamsPerSecond: 10, newStreamsBurst: 3 }, clock)
  const admitted = (tries: number): number =>
    Array.from({ length: tries }, () => admission.enter(who('a'))).filter((no) => !no).length
  expect(admitted(5)).toBe(3)
  clock.advance(100)
  expect(admitted(5)).toBe(1)
  clock.advance(60_000)
  expect(admitted(5)).toBe(3)
})
