import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { OutlierConfig } from '../config/compiled.js'
import { compileMessage } from '../config/fields.js'
import { compileOutlierDetection } from '../config/outlier-detection.js'
import type { Endpoint } from './endpoint.js'
import { keepIdentity, NO_ENDPOINTS } from './endpoint-set.js'
import { createOutlierDetector } from './outlier.js'

const locality = { region: '', zone: '', subZone: '' }
const endpoint = (port: number): Endpoint => ({
  address: { address: '127.0.0.1', port },
  weight: 1,
  priority: 0,
  locality,
  health: 'HEALTHY',
  metadata: {},
})

/** Any number may be ejected, unless `json` says otherwise. */
function detector(json: object, hosts = 2) {
  const result = compileMessage({ max_ejection_percent: 100, ...json }, '', (fields) => compileOutlierDetection(fields as never))
  const clock = createFakeClock()
  const changes: string[] = []
  const detected: string[] = []
  const overflows = { count: 0 }
  const outlier = createOutlierDetector((result as { value: OutlierConfig }).value, {
    clock,
    random: createSeededRandom(1),
    onDetected: ({ address }, why) => detected.push(`${address.port} ${why}`),
    onOverflow: () => overflows.count++,
    onChange: ({ address }, change, why) => changes.push(`${address.port} ${change} ${why}`),
  })
  const endpoints = Array.from({ length: hosts }, (_, i) => endpoint(i + 1))
  outlier.setEndpoints(endpoints)
  return { outlier, clock, changes, detected, overflows, endpoints, one: endpoints[0]!, two: endpoints[1]! }
}

describe('outlier detection', () => {
  it('ejects after consecutive 5xx, and a success starts anew', () => {
    const { outlier, one } = detector({ consecutive_5xx: 3 })
    for (const status of [500, 503, 200, 500, 500]) outlier.onResponse(one, status)
    expect(outlier.isEjected(one)).toBe(false)
    outlier.onResponse(one, 500)
    expect(outlier.isEjected(one)).toBe(true)
  })

  it('a threshold of 0 never ejects', () => {
    const { outlier, one, changes } = detector({ consecutive_5xx: 0 })
    for (let i = 0; i < 10; i++) outlier.onResponse(one, 500)
    expect(changes).toEqual([])
  })

  it('what is not enforced is detected all the same', () => {
    const { outlier, one, changes, detected } = detector({ consecutive_5xx: 2, enforcing_consecutive_5xx: 0 })
    for (let i = 0; i < 3; i++) outlier.onResponse(one, 500)
    expect(detected).toEqual(['1 consecutive_5xx'])
    expect(changes).toEqual([])
  })

  it('gateway failures count apart when enforced', () => {
    const { outlier, one, changes } = detector({
      consecutive_gateway_failure: 2,
      enforcing_consecutive_gateway_failure: 100,
      enforcing_consecutive_5xx: 0,
    })
    outlier.onResponse(one, 503)
    outlier.onResponse(one, 500)
    outlier.onResponse(one, 502)
    expect(outlier.isEjected(one)).toBe(false)
    outlier.onLocalFailure(one, 'connect')
    expect(changes).toEqual(['1 ejected consecutive_gateway_failure'])
  })

  it('errors of local origin count apart when split, and a connection starts anew', () => {
    const { outlier, one } = detector({
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 2,
      consecutive_5xx: 1,
    })
    outlier.onLocalFailure(one, 'connect')
    outlier.onConnected(one)
    outlier.onLocalFailure(one, 'connect')
    expect(outlier.isEjected(one)).toBe(false)
    outlier.onLocalFailure(one, 'connect')
    expect(outlier.isEjected(one)).toBe(true)
  })

  it('returns after the base time, later after each further ejection', () => {
    const { outlier, one, clock, changes } = detector({ consecutive_5xx: 1, base_ejection_time: '30s', interval: '10s' })
    outlier.onResponse(one, 500)
    clock.advance(20_000)
    expect(outlier.isEjected(one)).toBe(true)
    clock.advance(10_000)
    expect(outlier.isEjected(one)).toBe(false)
    outlier.onResponse(one, 500)
    clock.advance(50_000)
    expect(outlier.isEjected(one)).toBe(true)
    clock.advance(10_000)
    expect(outlier.isEjected(one)).toBe(false)
    expect(changes).toHaveLength(4)
  })

  it.each([
    // hosts, percentage, always_eject_one_host, ejected
    [1, 10, false, 0],
    [1, 100, false, 1],
    [1, 0, true, 1],
    [2, 49, false, 0],
    [2, 50, false, 1],
    [2, 10, true, 1],
    [3, 30, false, 0],
    [3, 34, false, 1],
    [3, 67, false, 2],
    [3, 34, true, 1],
  ])('of %i hosts, %i % of which may go (one always: %s), ejects %i', (hosts, percent, always, want) => {
    const json = { consecutive_5xx: 1, max_ejection_percent: percent, always_eject_one_host: always }
    const { outlier, endpoints, overflows } = detector(json, hosts)
    for (const each of endpoints) outlier.onResponse(each, 500)
    expect(endpoints.filter((each) => outlier.isEjected(each))).toHaveLength(want)
    expect(overflows.count).toBe(hosts - want)
  })

  it('enforcing 0 only counts', () => {
    const { outlier, one } = detector({ consecutive_5xx: 1, enforcing_consecutive_5xx: 0 })
    for (let i = 0; i < 10; i++) outlier.onResponse(one, 500)
    expect(outlier.isEjected(one)).toBe(false)
  })

  it('ejects whose success rate falls behind', () => {
    const { outlier, endpoints, clock, changes } = detector({ consecutive_5xx: 1000 }, 6)
    for (const [i, each] of endpoints.entries())
      for (let n = 0; n < 100; n++) outlier.onResponse(each, i === 0 && n % 2 === 0 ? 500 : 200)
    clock.advance(10_000)
    expect(changes).toEqual(['1 ejected success_rate'])
  })

  it('ejections outlive an update that keeps the endpoint', () => {
    const { outlier, one, two } = detector({ consecutive_5xx: 1 })
    outlier.onResponse(one, 500)
    outlier.setEndpoints([one, two, endpoint(3)])
    expect(outlier.isEjected(one)).toBe(true)
    outlier.setEndpoints([two])
    expect(outlier.isEjected(one)).toBe(false)
  })
})

describe('endpoint sets', () => {
  const of = (...endpoints: Endpoint[]) => ({ ...NO_ENDPOINTS, endpoints })
  it('keep the objects of what did not change', () => {
    const before = of(endpoint(1), endpoint(2))
    const after = keepIdentity(before, of(endpoint(2), { ...endpoint(1), weight: 5 }))
    expect(after.endpoints[0]).toBe(before.endpoints[1])
    expect(after.endpoints[1]).not.toBe(before.endpoints[0])
  })

  it('are themselves when nothing changed', () => {
    const before = of(endpoint(1), endpoint(2))
    expect(keepIdentity(before, of(endpoint(1), endpoint(2)))).toBe(before)
    expect(keepIdentity(before, of(endpoint(2), endpoint(1)))).not.toBe(before)
  })
})
