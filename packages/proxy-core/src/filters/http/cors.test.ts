import { describe, expect, it } from 'vitest'
import { corsFilter } from './cors.js'
import { configured, must, response, run, stream } from './testing.js'

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
    })
  })
})
