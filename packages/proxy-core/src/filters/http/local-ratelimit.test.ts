import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { localRateLimitFilter } from './local-ratelimit.js'
import { configured, deps, response, run, stream } from './testing.js'

describe('local rate limit', () => {
  const all = { default_value: { numerator: 100 } }
  const limit = {
    token_bucket: { max_tokens: 2, tokens_per_fill: 1, fill_interval: '1s' },
    filter_enabled: all,
    filter_enforced: all,
    response_headers_to_add: [{ header: { key: 'x-limited', value: 'yes %RESPONSE_CODE%' } }],
  }

  it('lets the bucket empty, then answers 429 until a token is back', () => {
    const clock = createFakeClock()
    const create = configured(localRateLimitFilter, limit, deps({ clock }))
    const refused = (): boolean => run(create, stream()) !== undefined
    expect([refused(), refused(), refused()]).toEqual([false, false, true])
    clock.advance(1000)
    expect([refused(), refused()]).toEqual([false, true])
    clock.advance(60_000)
    expect([refused(), refused(), refused()]).toEqual([false, false, true])
    const asked = stream()
    const filter = create(asked)
    expect(filter.onRequest!(asked.request, asked)).toEqual({
      status: 429,
      body: 'local_rate_limited',
      details: 'local_rate_limited',
    })
    expect([...asked.info.flags], 'what is made of the reply does not see the flag').toEqual([])
    const answer = response()
    void filter.onResponse!(answer, asked)
    expect(answer.headers.get('x-limited')).toBe('yes 0')
    expect([...asked.info.flags]).toEqual(['RL'])
    expect(asked.info.status).toBe(200)
  })

  it('counts per connection when told to, and only marks when not enforced', () => {
    const own = configured(localRateLimitFilter, { ...limit, local_rate_limit_per_downstream_connection: true })
    for (let i = 0; i < 5; i++) expect(run(own, stream())).toBeUndefined()
    const lenient = configured(localRateLimitFilter, {
      ...limit,
      filter_enforced: { default_value: {} },
      request_headers_to_add_when_not_enforced: [{ header: { key: 'x-over', value: '1' } }],
    })
    for (let i = 0; i < 2; i++) void run(lenient, stream())
    const last = stream()
    void run(lenient, last)
    expect(last.request.headers.get('x-over')).toBe('1')
  })

  it('answers with a status of its own, and tells the client what is left', () => {
    const create = configured(localRateLimitFilter, {
      ...limit,
      status: { code: 'ServiceUnavailable' },
      enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
    })
    const asked = stream()
    const filter = create(asked)
    expect(filter.onRequest!(asked.request, asked)).toBeUndefined()
    const answer = response()
    void filter.onResponse!(answer, asked)
    expect([...answer.headers]).toEqual([
      ['x-ratelimit-limit', '2'],
      ['x-ratelimit-remaining', '1'],
      ['x-ratelimit-reset', '0'],
    ])
    const last = stream()
    const lastFilter = create(last)
    void lastFilter.onRequest!(last.request, last)
    const lastAnswer = response()
    void lastFilter.onResponse!(lastAnswer, last)
    expect(lastAnswer.headers.get('x-ratelimit-reset')).toBe('1')
    expect(run(create, stream())).toMatchObject({ status: 503 })
  })

  it('is off without filter_enabled, and refuses buckets that hold nothing', () => {
    const off = configured(localRateLimitFilter, { token_bucket: limit.token_bucket })
    for (let i = 0; i < 5; i++) expect(run(off, stream())).toBeUndefined()
    expect(localRateLimitFilter.decode({ token_bucket: { max_tokens: 1, fill_interval: '0.01s' } }, 'c').ok).toBe(false)
    expect(localRateLimitFilter.decode({ stat_prefix: 'l' }, 'c').ok).toBe(true)
    expect(localRateLimitFilter.decodePerRoute!({ stat_prefix: 'l' }, 'c')).toMatchObject({
      ok: false,
      diagnostics: [{ path: 'c.token_bucket' }],
    })
    expect(localRateLimitFilter.decode({ descriptors: [{ entries: [{ key: 'k', value: 'v' }] }] }, 'c')).toMatchObject({
      ok: false,
      diagnostics: [{ path: 'c.descriptors[0].token_bucket' }],
    })
  })

  it('has buckets for what rate_limits make of a request', () => {
    const bucket = (max_tokens: number) => ({ max_tokens, tokens_per_fill: 1, fill_interval: '60s' })
    const create = configured(localRateLimitFilter, {
      ...limit,
      token_bucket: bucket(100),
      enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
      rate_limits: [{ actions: [{ request_headers: { header_name: 'x-user', descriptor_key: 'user' } }] }],
      descriptors: [{ entries: [{ key: 'user', value: 'ann' }], token_bucket: bucket(1) }],
    })
    const ask = (user: string): [unknown, string | undefined] => {
      const asked = stream({ headers: { 'x-user': user } })
      const route = { kind: 'forward', target: { cluster: 'c' }, route: { action: { kind: 'forward' } }, virtualHost: {} }
      const filter = create(Object.assign(asked, { route: route as never }))
      const reply = filter.onRequest!(asked.request, asked) as { status: number } | undefined
      const answer = response()
      void filter.onResponse!(answer, asked)
      return [reply?.status, answer.headers.get('x-ratelimit-limit')]
    }
    expect([ask('ann'), ask('ann'), ask('ben'), ask('ann')]).toEqual([
      [undefined, '1'],
      [429, '1'],
      [undefined, '100'],
      [429, '1'],
    ])
  })
})
