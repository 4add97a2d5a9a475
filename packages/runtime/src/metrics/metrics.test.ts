import { describe, expect, test } from 'vitest'
import { createMetricsRegistry, renderPrometheus } from '../index.js'

test('the same label values give the same series', () => {
  const family = createMetricsRegistry().counter('requests_total', 'Requests.', ['code', 'method'])
  family.labels('200', 'GET').inc()
  family.labels('200', 'GET').inc(2)
  family.labels('200', 'POST').inc()
  expect(family.labels('200', 'GET')).toBe(family.labels('200', 'GET'))
  expect([...family.series()].map(([labels, { value }]) => [...labels, value])).toEqual([
    ['200', 'GET', 3],
    ['200', 'POST', 1],
  ])
})

test('label values cannot be confused with their neighbours', () => {
  const family = createMetricsRegistry().counter('x', '', ['a', 'b'])
  family.labels('1,', '2').inc()
  family.labels('1', ',2').inc()
  expect([...family.series()]).toHaveLength(2)
})

test('a name belongs to one kind and one set of labels', () => {
  const registry = createMetricsRegistry()
  const family = registry.gauge('open', 'Open.', ['zone'])
  expect(registry.gauge('open', 'Open.', ['zone'])).toBe(family)
  expect(() => registry.counter('open', '', ['zone'])).toThrow(/open is a gauge/)
  expect(() => registry.gauge('open', '', ['region'])).toThrow(/open is a gauge with labels \[zone\]/)
  expect(() => registry.counter('1st', '')).toThrow(/no metric name/)
  expect(() => registry.counter('a', '', ['b-c'])).toThrow(/no label name/)
  expect(() => registry.histogram('h', '', ['le'])).toThrow(/no label name/)
  expect(() => registry.histogram('h', '', [], [1, 1])).toThrow(/do not ascend/)
  expect(() => family.labels()).toThrow(/1 labels \(zone\), not 0/)
  expect(() => registry.counter('c', '').labels().inc(-1)).toThrow(RangeError)
})

test('where others choose the labels, a name may have several sets of them, and one kind', () => {
  const registry = createMetricsRegistry()
  const family = registry.counter('a_total', 'A.', ['zone'], 10)
  registry.gauge('up', '').labels().set(1)
  registry.counter('a_total', 'A.', ['zone', 'who'], 10).labels('z', 'w').inc()
  family.labels('z').inc(2)
  expect(registry.counter('a_total', 'A.', ['zone'], 10)).toBe(family)
  expect(() => registry.gauge('a_total', '', ['who'], 10)).toThrow(/a_total is a counter/)
  expect(() => registry.counter('a_total', '', ['who'])).toThrow(/a_total is a counter with labels \[zone\]/)
  expect(renderPrometheus(registry)).toBe(
    '# HELP a_total A.\n# TYPE a_total counter\na_total{zone="z"} 2\na_total{zone="z",who="w"} 1\n# HELP up \n# TYPE up gauge\nup 1\n',
  )
})

test('gauges go both ways', () => {
  const gauge = createMetricsRegistry().gauge('open', '').labels()
  gauge.set(5)
  gauge.add(-7)
  expect(gauge.value).toBe(-2)
})

test('a histogram counts into the bucket whose bound is not below the value', () => {
  const histogram = createMetricsRegistry().histogram('ms', '', [], [1, 5, 10]).labels()
  for (const value of [0, 1, 1.01, 5, 10, 10.5, 1e9]) histogram.observe(value)
  expect(histogram.count).toBe(7)
  expect(histogram.sum).toBe(1e9 + 27.51)
  expect(histogram.buckets()).toEqual([
    { le: 1, count: 2 },
    { le: 5, count: 4 },
    { le: 10, count: 5 },
  ])
})

test('label values beyond the most share a series; those that were there before keep theirs', () => {
  const family = createMetricsRegistry().counter('hosts_total', '', ['host', 'code'], 2)
  for (const host of ['a', 'b', 'c', 'd', 'a']) family.labels(host, '200').inc()
  family.labels('a', '500').inc()
  expect([...family.series()].map(([labels, { value }]) => [...labels, value])).toEqual([
    ['a', '200', 2],
    ['b', '200', 1],
    ['overflow', 'overflow', 3],
  ])
})

describe('Prometheus text', () => {
  test('is format 0.0.4, escaped', () => {
    const registry = createMetricsRegistry()
    registry.counter('unused_total', 'Never.', ['x'])
    registry.counter('istio_requests_total', 'All\nrequests \\ "so far".', ['path']).labels('a"b\\c\nd').inc(3)
    registry.gauge('up', '').labels().set(Number.NaN)
    registry.gauge('limit', '').labels().set(Number.POSITIVE_INFINITY)
    const histogram = registry.histogram('ms', 'Times.', ['code'], [0.5, 1000]).labels('200')
    histogram.observe(0.25)
    histogram.observe(2000)
    expect(renderPrometheus(registry)).toBe(`# HELP istio_requests_total All\\nrequests \\\\ "so far".
# TYPE istio_requests_total counter
istio_requests_total{path="a\\"b\\\\c\\nd"} 3
# HELP up 
# TYPE up gauge
up NaN
# HELP limit 
# TYPE limit gauge
limit +Inf
# HELP ms Times.
# TYPE ms histogram
ms_bucket{code="200",le="0.5"} 1
ms_bucket{code="200",le="1000"} 1
ms_bucket{code="200",le="+Inf"} 2
ms_sum{code="200"} 2000.25
ms_count{code="200"} 2
`)
  })

  test('of an empty registry is empty', () => {
    expect(renderPrometheus(createMetricsRegistry())).toBe('')
  })
})
