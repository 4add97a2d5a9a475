import { expect, test } from 'vitest'
import { createProgress } from './progress.js'

test('settled follows what was taken, once nothing is owed, and opens again with a new subscription', () => {
  const progress = createProgress()
  expect([progress.take(), progress.take()]).toEqual([true, false])
  expect([progress.note(true), progress.settled]).toEqual([false, 0])
  expect([progress.note(false), progress.settled]).toEqual([true, 1])
  expect(progress.note(false)).toBe(false)
  progress.want()
  progress.want()
  // Settling what was taken before says nothing of what is wanted since.
  expect([progress.note(false), progress.settled, progress.wanted]).toEqual([false, 1, 3])
  progress.take()
  expect([progress.note(false), progress.settled]).toEqual([true, 3])
  progress.note(true)
  expect(progress.settled).toBe(2)
  expect([progress.note(false), progress.settled]).toEqual([true, 3])
})
