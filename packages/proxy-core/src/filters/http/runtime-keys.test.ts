import { expect, it } from 'vitest'
import type { HttpFilterFactory } from '../../http/filter.js'
import { createRuntime } from '../../runtime.js'
import { testDeps } from '../../testing.js'
import { corsFilter } from './cors.js'
import { csrfFilter } from './csrf.js'
import { faultFilter } from './fault.js'
import { localRateLimitFilter } from './local-ratelimit.js'
import { deps, must, response, run, stream } from './testing.js'

const never = (runtime_key: string) => ({ runtime_key, default_value: { numerator: 0 } })

it.each<[string, HttpFilterFactory<never>, string, object, Record<string, string>]>([
  ['fault', faultFilter as never, 'fault.http.abort.abort_percent', { abort: { http_status: 503, percentage: {} } }, {}],
  [
    'fault, by a key of its own',
    faultFilter as never,
    'my.key',
    { abort: { http_status: 503, percentage: {} }, abort_percent_runtime: 'my.key' },
    {},
  ],
  ['csrf', csrfFilter as never, 'csrf.on', { filter_enabled: never('csrf.on') }, { origin: 'http://elsewhere' }],
  [
    'local_ratelimit',
    localRateLimitFilter as never,
    'limit.on',
    {
      token_bucket: { max_tokens: 1, fill_interval: '60s' },
      filter_enabled: { default_value: { numerator: 100 } },
      filter_enforced: never('limit.on'),
    },
    {},
  ],
])('%s is on while the runtime says so', (_, factory, key, config, headers) => {
  const runtime = createRuntime([{ name: 'admin', admin: true }])
  const decoded = must(factory.decode(config as never, 'c', testDeps({ runtime })))
  const create = factory.create(decoded, deps(), 'filter')
  const refused = (): boolean => run(create, stream({ method: 'POST', headers })) !== undefined
  expect([refused(), refused()]).toEqual([false, false])
  runtime.modify(new Map([[key, '100']]))
  expect(refused()).toBe(true)
  runtime.modify(new Map([[key, '0']]))
  expect(refused()).toBe(false)
})

it('so is what a route says', () => {
  const runtime = createRuntime([{ name: 'static', values: { cors: { on: 0 } } }])
  const policy = {
    allow_origin_string_match: [{ exact: 'http://a' }],
    filter_enabled: { ...never('cors.on'), default_value: { numerator: 100 } },
  }
  const origins = [testDeps(), testDeps({ runtime })].map((compileDeps) => {
    const perRoute = must(corsFilter.decodePerRoute!(policy, 'c', compileDeps))
    const asked = stream({ kind: 'forward', perRoute, headers: { origin: 'http://a' } })
    const filter = corsFilter.create(undefined, deps(), 'cors')(asked)
    filter.onRequest?.(asked.request, asked)
    const answer = response()
    filter.onResponse?.(answer, asked)
    return answer.headers.get('access-control-allow-origin')
  })
  expect(origins).toEqual(['http://a', undefined])
})
