import { expect, test } from 'vitest'
import { allOf, readTimes } from './load-at-rate.js'

test("reads h2load's log, without requests that failed", () => {
  expect(readTimes('1795303284111864\t200\t2709\n1795303284111868\t-1\t9\n1795303284111870\t503\t500\n')).toEqual([2.709, 0.5])
})

test('several loads are one, and too few requests are no such load', () => {
  const one = { requests: 960, seconds: 2, bytes: 10, badStatus: 1, socketErrors: 2, more: {} }
  const both = { requests: 1920, seconds: 2, bytes: 20, badStatus: 2, socketErrors: 4, more: { 'p50 ms': 2, 'p99 ms': 3 } }
  expect(allOf([one, one], [1, 2, 3], 1000)).toEqual(both)
  expect(allOf([one], [1], 1000).problem).toBe('of 2000 requests 960 were made in time')
})
