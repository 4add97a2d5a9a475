import { expect, test } from 'vitest'
import { type LoadReport, sampleOf } from './measure.js'

const report: LoadReport = {
  ...{ requests: 10_000, seconds: 2, bytes: 10_000 * 1024, badStatus: 0, socketErrors: 0 },
  more: { 'mean ms': 1 },
}

test('a rate counts only where the proxy was the limit', () => {
  expect(sampleOf(report, { cpu: 2, seconds: 2 }, 'rate')).toMatchObject({ value: 5000, cpuMicros: 200 })
  expect(sampleOf(report, { cpu: 1.7, seconds: 2 }, 'rate').unusable).toMatch(/used 85 % of its core/)
  expect(sampleOf(report, undefined, 'rate')).toMatchObject({ value: 5000, cpuMicros: undefined })
})

test('requests in a second of CPU time count where the proxy waits for lumps, but not where it hardly works', () => {
  const sample = sampleOf(report, { cpu: 1, seconds: 2 }, 'cpu')
  expect(sample).toEqual({
    value: 10_000,
    cpuMicros: 100,
    more: { 'mean ms': 1, 'under this load/s': 5000, 'busy %': 50 },
  })
  expect(sampleOf(report, { cpu: 0.5, seconds: 2 }, 'cpu').unusable).toMatch(/used 25 % of its core/)
  expect(sampleOf(report, undefined, 'cpu').unusable).toMatch(/does not tell/)
})

test('a p99 counts at saturation, or at a rate that was kept', () => {
  const timed = { ...report, more: { 'p99 ms': 4 } }
  expect(sampleOf(timed, { cpu: 2, seconds: 2 }, 'p99')).toMatchObject({ value: 4, cpuMicros: 200 })
  expect(sampleOf(timed, { cpu: 1, seconds: 2 }, 'p99').unusable).toMatch(/used 50 % of its core/)
  const atRate = sampleOf(timed, { cpu: 0.2, seconds: 2 }, 'p99 at a rate')
  expect(atRate).toEqual({ value: 4, cpuMicros: 20, more: { 'p99 ms': 4, 'under this load/s': 5000, 'busy %': 10 } })
  expect(sampleOf({ ...timed, problem: 'too few' }, { cpu: 1, seconds: 2 }, 'p99 at a rate').unusable).toBe('too few')
})

test('requests that fail and answers that are short spoil a sample', () => {
  const used = { cpu: 2, seconds: 2 }
  expect(sampleOf({ ...report, badStatus: 1 }, used, 'cpu').unusable).toMatch(/1 got a bad status/)
  expect(sampleOf({ ...report, bytes: 5 }, used, 'rate').unusable).toMatch(/shorter/)
  expect(sampleOf({ ...report, requests: 0 }, used, 'rate').unusable).toMatch(/no request/)
})
