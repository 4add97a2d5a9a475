import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { bodyOf } from '../../http/body.js'
import { healthCheckFilter } from './health-check.js'
import { configured, deps, response, run, stream } from './testing.js'

const headers = [{ name: ':path', string_match: { exact: '/healthz' } }]

describe('health check', () => {
  it('answers by itself, and marks the answer', () => {
    const asked = stream({ path: '/healthz' })
    const create = configured(healthCheckFilter, { pass_through_mode: false, headers })
    const filter = create(asked)
    expect(filter.onRequest!(asked.request, asked)).toMatchObject({ status: 200, details: 'health_check_ok' })
    expect(asked.info.filterState.get('health_check')).toBe(true)
    const answer = response()
    void filter.onResponse!(answer, asked)
    expect(answer.headers.get('x-envoy-upstream-healthchecked-cluster')).toBe('apps')
    expect(run(create, stream({ path: '/' }))).toBeUndefined()
  })

  it('waits for the rest of the question', async () => {
    const asked = stream({ method: 'POST', path: '/healthz' })
    asked.request.body = bodyOf('x')
    expect(await run(configured(healthCheckFilter, { pass_through_mode: false, headers }), asked)).toMatchObject({ status: 200 })
  })

  it('keeps an answer as long as it is fresh', () => {
    const clock = createFakeClock()
    const create = configured(healthCheckFilter, { pass_through_mode: true, cache_time: '10s', headers }, deps({ clock }))
    const asked = stream({ path: '/healthz' })
    const first = create(asked)
    expect(first.onRequest!(asked.request, asked)).toBeUndefined()
    void first.onResponse!({ ...response(), status: 503 }, asked)
    clock.advance(9_000)
    expect(run(create, stream({ path: '/healthz' }))).toMatchObject({ status: 503, details: 'health_check_cached', flag: 'LH' })
    clock.advance(1_000)
    expect(run(create, stream({ path: '/healthz' }))).toBeUndefined()
  })

  it('says 503 once it was told to fail, and tells others in passing', () => {
    const create = configured(healthCheckFilter, { pass_through_mode: true, headers }, deps({ healthy: () => false }))
    expect(run(create, stream({ path: '/healthz' }))).toMatchObject({ status: 503, details: 'health_check_failed', flag: 'LH' })
    const asked = stream({ path: '/' })
    const filter = create(asked)
    void filter.onRequest!(asked.request, asked)
    const answer = response()
    void filter.onResponse!(answer, asked)
    expect(answer.headers.get('x-envoy-immediate-health-check-fail')).toBe('true')
  })

  it.each([
    [{ total: 4, healthy: 2 }, 200, 'health_check_ok_cluster_healthy'],
    [{ total: 4, healthy: 1 }, 503, 'health_check_failed_cluster_unhealthy'],
    [{ total: 0, healthy: 0 }, 503, 'health_check_failed_cluster_empty'],
    [undefined, 503, 'health_check_failed_no_cluster_found'],
  ])('asks how many endpoints of a cluster are well: %j', (health, status, details) => {
    const config = { pass_through_mode: false, headers, cluster_min_healthy_percentages: { web: { value: 50 } } }
    const create = configured(healthCheckFilter, config, deps({ clusterHealth: () => health }))
    expect(run(create, stream({ path: '/healthz' }))).toMatchObject({ status, details })
  })

  it('keeps nothing where it answers by itself', () => {
    const { diagnostics } = healthCheckFilter.decode({ pass_through_mode: false, cache_time: '1s' }, 'c')
    expect(diagnostics[0]).toMatchObject({ path: 'c.cache_time' })
  })
})
