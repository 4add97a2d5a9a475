import { createMetricsRegistry } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { csrfFilter } from './csrf.js'
import { configured, deps, must, run, stream } from './testing.js'

const always = { default_value: { numerator: 100 } }
const policy = { filter_enabled: always, additional_origins: [{ suffix: '.good.example' }] }

describe('csrf', () => {
  it.each([
    ['POST', { origin: 'http://apps' }, true],
    ['POST', { origin: 'https://apps' }, true],
    ['POST', { origin: 'http://evil.example' }, false],
    ['POST', { referer: 'http://apps/form?x#y' }, true],
    ['POST', { referer: 'http://evil.example/apps' }, false],
    ['POST', { origin: 'https://x.good.example' }, true],
    ['POST', { origin: 'https://good.example.evil' }, false],
    ['POST', { origin: 'http://apps:8080' }, false],
    ['POST', { origin: 'null' }, false],
    ['POST', { origin: 'null', referer: 'http://apps/' }, false],
    ['POST', {}, false],
    ['PATCH', {}, false],
    ['DELETE', {}, false],
    ['GET', { origin: 'http://evil.example' }, true],
    ['OPTIONS', {}, true],
  ])('%s %j: %j', (method, headers, passes) => {
    const reply = run(configured(csrfFilter, policy), stream({ method, headers }))
    if (passes) expect(reply).toBeUndefined()
    else expect(reply).toMatchObject({ status: 403, body: 'Invalid origin', details: 'csrf_origin_mismatch' })
  })

  it.each([
    [{ origin: 'http://evil' }, 'request_invalid'],
    [{ origin: 'null' }, 'missing_source_origin'],
    [{}, 'missing_source_origin'],
    [{ origin: 'http://apps' }, 'request_valid'],
  ])('counts %j as %s', (headers, counter) => {
    const stats = createMetricsRegistry()
    void run(configured(csrfFilter, policy, deps({ stats })), stream({ method: 'POST', headers }))
    expect([...stats.families()].map(({ name }) => name)).toEqual([`envoy_http_csrf_${counter}`])
  })

  it('only counts in the shadow, and does nothing where a route switches it off', () => {
    const stats = createMetricsRegistry()
    const create = configured(csrfFilter, { filter_enabled: { default_value: {} }, shadow_enabled: always }, deps({ stats }))
    expect(run(create, stream({ method: 'POST', headers: { origin: 'http://evil' } }))).toBeUndefined()
    const counted = stats.counter('envoy_http_csrf_request_invalid', '', ['envoy_http_conn_manager_prefix'])
    expect(counted.labels('').value).toBe(1)
    const perRoute = must(csrfFilter.decodePerRoute!({ filter_enabled: { default_value: { numerator: 0 } } }, ''))
    expect(run(configured(csrfFilter, policy), stream({ method: 'POST', perRoute }))).toBeUndefined()
  })
})
