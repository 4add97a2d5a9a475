import { createMetricsRegistry } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { histogramsJson, histogramText } from './histogram-print.js'

const histogram = createMetricsRegistry().histogram('h', 'Of this test.', [], [1, 5, 10]).labels()
for (const value of [1, 3, 3, 7]) histogram.observe(value)
const one = { name: 'h', histogram }

describe('a histogram', () => {
  it.each([
    ['cumulative', 'h: B1(1,1) B5(3,3) B10(4,4)'],
    ['disjoint', 'h: B1(1,1) B5(2,2) B10(1,1)'],
  ])('as text, %s', (shape, text) => {
    expect(histogramText(one, shape)).toBe(text)
  })

  it('as text, by quantiles, with its buckets before them when asked for in detail', () => {
    const summary = histogramText(one, 'summary')
    expect(summary).toMatch(/^h: P0\(0,0\) P25\(1,1\) P50\(3,3\) P75\(5,5\) .* P100\(10,10\)$/)
    expect(histogramText(one, 'detailed')).toBe(
      `h:\n  totals=0,1:1, 1,4:2, 5,5:1\n  intervals=0,1:1, 1,4:2, 5,5:1\n  summary=${summary.slice(3)}`,
    )
  })

  it('as JSON, in each of its shapes', () => {
    expect(histogramsJson([one], 'cumulative')).toMatchObject([
      { name: 'h', buckets: [{ upper_bound: 1, cumulative: 1 }, { cumulative: 3 }, { cumulative: 4 }] },
    ])
    expect(histogramsJson([one], 'disjoint')).toMatchObject([
      { buckets: [{ cumulative: 1 }, { cumulative: 2 }, { interval: 1 }] },
    ])
    expect(histogramsJson([one], 'summary')).toMatchObject({
      supported_quantiles: expect.arrayContaining([99.9]),
      computed_quantiles: [{ name: 'h', values: expect.arrayContaining([{ cumulative: 10, interval: 10 }]) }],
    })
    expect(histogramsJson([one], 'detailed')).toMatchObject({
      details: [{ totals: [{ lower_bound: 0, width: 1, count: 1 }, { width: 4 }, { width: 5 }] }],
    })
  })
})
