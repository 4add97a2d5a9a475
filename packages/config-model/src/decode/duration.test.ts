import { expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.js'

it.each([
  ['0', 0],
  ['0s', 0],
  ['1.5s', 1500],
  ['1h30m', 5_400_000],
  ['1m0s', 60_000],
  ['100ms', 100],
  ['-2s', -2000],
  ['+2s', 2000],
  ['.5s', 500],
  ['1.s', 1000],
  ['0.1s0.2s', 300],
  ['250us', 0.25],
  ['1µs', 0.001],
  ['3ns', 0.000003],
])('parses %s as %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

it.each(['', 's', '5', '1.5', '1d', '1s ', ' 1s', '1s-2s', 'apple', '-', '1 s', '1e3s'])('refuses %j', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})

it.each([
  [0, '0s'],
  [1500, '1.5s'],
  [0.25, '0.000250s'],
  [-2000, '-2s'],
  [3_600_000, '3600s'],
])('formats %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text.replace(/(\.\d*?)0+s$/, '$1s'))
  expect(parseDuration(formatDuration(ms))).toBe(ms)
})
