import { describe, expect, it } from 'vitest'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { corsFilter } from './cors.js'
import { configured, deps, must, response, run, stream } from './testing.js'

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
    const asked = stream({ method: 'OPTIONS', headers: preflight, perRoute: policy })
    const filter = configured(corsFilter, {})(asked)
    expect(filter.onRequest!(asked.request, asked)).toMatchObject({
      status: 200,
      headers: [
        ['access-control-allow-methods', 'GET,POST'],
        ['access-control-max-age', '60'],
      ],
    })
  })

  it('lets every origin in by a matcher of the star, and allows what is asked for where a list is one', () => {
    const perRoute = must(
      corsFilter.decodePerRoute!({ allow_origin_string_match: [{ exact: '*' }], allow_methods: '*', allow_headers: '*' }, ''),
    )
    const headers = { ...preflight, origin: 'https://anyone', 'access-control-request-headers': 'x-a' }
    const asked = stream({ method: 'OPTIONS', headers, perRoute })
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
      const asked = stream({ headers: { origin }, perRoute: policy })
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
    expect(run(configured(corsFilter, {}), stream({ method: 'OPTIONS', headers, perRoute: policy }))).toBeUndefined()
    const strict = must(corsFilter.decodePerRoute!({ forward_not_matching_preflights: false }, ''))
    expect(run(configured(corsFilter, {}), stream({ method: 'OPTIONS', headers, perRoute: strict }))).toEqual({
      status: 200,
      body: '',
      details: 'cors_response',
      own: true,
    })
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
      const asked = stream({ method: 'OPTIONS', headers: { ...preflight, origin }, perRoute })
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
