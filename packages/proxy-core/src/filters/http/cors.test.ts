import { describe, expect, it } from 'vitest'
import type { LocalReply } from '../../http/message.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { corsFilter } from './cors.js'
import { configured, deps, must, response, run, type StreamOptions, stream } from './testing.js'

const forwarded = (options: StreamOptions) => stream({ kind: 'forward', ...options })

describe('cors', () => {
  const policy = must(
    corsFilter.decodePerRoute!(
      {
        allow_origin_string_match: [{ suffix: '.example' }],
        allow_methods: 'GET,POST',
        max_age: '60',
        allow_credentials: true,
        expose_headers: 'x-e',
      },
      '',
    ),
  )
  const preflight = { origin: 'https://a.example', 'access-control-request-method': 'POST' }
  it('answers a preflight of an allowed origin', () => {
    const asked = forwarded({ method: 'OPTIONS', headers: preflight, perRoute: policy })
    const filter = configured(corsFilter, {})(asked)
    expect(filter.onRequest!(asked.request, asked)).toMatchObject({
      status: 200,
      headers: [
        ['access-control-allow-methods', 'GET,POST'],
        ['access-control-allow-credentials', 'true'],
        ['access-control-max-age', '60'],
      ],
    })
  })

  it('lets every origin in by a matcher of the star, and allows what is asked for where a list is one', () => {
    const perRoute = must(
      corsFilter.decodePerRoute!({ allow_origin_string_match: [{ exact: '*' }], allow_methods: '*', allow_headers: '*' }, ''),
    )
    const headers = { ...preflight, origin: 'https://anyone', 'access-control-request-headers': 'x-a' }
    const asked = forwarded({ method: 'OPTIONS', headers, perRoute })
    expect(configured(corsFilter, {})(asked).onRequest!(asked.request, asked)).toMatchObject({
      headers: [
        ['access-control-allow-methods', 'POST'],
        ['access-control-allow-headers', 'x-a'],
      ],
    })
  })

  it('replaces what the upstream says for an allowed origin, and leaves other origins alone', () => {
    for (const [origin, want] of [
      ['https://a.example', 'https://a.example'],
      ['https://evil', '*'],
    ] as const) {
      const asked = forwarded({ headers: { origin }, perRoute: policy })
      const filter = configured(corsFilter, {})(asked)
      expect(filter.onRequest!(asked.request, asked)).toBeUndefined()
      const answer = response({ 'access-control-allow-origin': '*' })
      void filter.onResponse?.(answer, asked)
      expect(answer.headers.get('access-control-allow-origin')).toBe(want)
      expect(answer.headers.get('access-control-allow-credentials')).toBe(want === '*' ? undefined : 'true')
    }
  })

  it('preflights of other origins go upstream unless told otherwise', () => {
    const headers = { ...preflight, origin: 'https://evil' }
    expect(run(configured(corsFilter, {}), forwarded({ method: 'OPTIONS', headers, perRoute: policy }))).toBeUndefined()
    const strict = must(corsFilter.decodePerRoute!({ forward_not_matching_preflights: false }, ''))
    expect(run(configured(corsFilter, {}), forwarded({ method: 'OPTIONS', headers, perRoute: strict }))).toEqual({
      status: 200,
      body: '',
      details: 'cors_response',
      own: true,
      headers: [],
    })
  })

  it.each<[string, object, readonly (readonly [string, string])[] | undefined]>([
    [
      'all that it does not say',
      {},
      [
        ['access-control-allow-methods', 'VH'],
        ['access-control-allow-credentials', 'true'],
        ['access-control-max-age', '7'],
      ],
    ],
    [
      'not what it says',
      { allow_methods: 'R', allow_credentials: false, max_age: '1' },
      [
        ['access-control-allow-methods', 'R'],
        ['access-control-max-age', '1'],
      ],
    ],
    [
      'origins only where it has none',
      { allow_origin_string_match: [{ exact: 'x' }], forward_not_matching_preflights: true },
      undefined,
    ],
    ['no share', { filter_enabled: { default_value: { numerator: 0 } } }, undefined],
  ])('a route takes from its virtual host: %s', (_what, route, headers) => {
    const vhost = {
      ...{ allow_origin_string_match: [{ suffix: '.example' }], allow_methods: 'VH', max_age: '7', allow_credentials: true },
      ...{ forward_not_matching_preflights: false, filter_enabled: { default_value: { numerator: 100 } } },
    }
    const perRoutes = [route, vhost].map((json) => must(corsFilter.decodePerRoute!(json as Record<string, unknown>, '')))
    const answer = run(configured(corsFilter, {}), forwarded({ method: 'OPTIONS', headers: preflight, perRoutes }))
    expect((answer as LocalReply | undefined)?.headers).toEqual(headers)
  })

  it.each([['reply'], [undefined]] as const)('has no policy where the route does not forward: %s', (kind) => {
    const asked = stream({ method: 'OPTIONS', headers: preflight, perRoute: policy, kind })
    expect(run(configured(corsFilter, {}), asked)).toBeUndefined()
  })

  it('shadow_enabled counts the origins of requests that it leaves alone; a share of 0 of both does not look', () => {
    const share = (numerator: number): object => ({ default_value: { numerator } })
    const own = deps({ statPrefix: 'in' })
    const counted = (): number[] =>
      ['origin_valid', 'origin_invalid'].map((name) => httpFilterCounter(own.stats, 'in', 'cors')(name).value)
    const ask = (origin: string, shadow: number): unknown => {
      const json = {
        allow_origin_string_match: [{ suffix: '.example' }],
        filter_enabled: share(0),
        shadow_enabled: share(shadow),
      }
      const perRoute = must(corsFilter.decodePerRoute!(json, ''))
      const asked = forwarded({ method: 'OPTIONS', headers: { ...preflight, origin }, perRoute })
      const filter = configured(corsFilter, {}, own)(asked)
      expect(filter.onRequest?.(asked.request, asked)).toBeUndefined()
      const answer = response({})
      void filter.onResponse?.(answer, asked)
      return answer.headers.get('access-control-allow-origin')
    }
    expect([ask('https://a.example', 100), ask('https://evil', 100), ask('https://a.example', 100)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(counted()).toEqual([2, 1])
    ask('https://a.example', 0)
    expect(counted()).toEqual([2, 1])
  })
})
