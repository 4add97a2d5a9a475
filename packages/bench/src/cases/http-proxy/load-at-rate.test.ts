import { expect, test } from 'vitest'
import { readTimes } from './load-at-rate.js'

test("reads h2load's log, without requests that failed", () => {
  expect(readTimes('1795303284111864\t200\t2709\n1795303284111868\t-1\t9\n1795303284111870\t503\t500\n')).toEqual([2.709, 0.5])
})
