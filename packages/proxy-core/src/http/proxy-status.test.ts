import { expect, it } from 'vitest'
import { emptyBody } from './body.js'
import { createHeaderMap } from './header-map.js'
import type { HttpResponse } from './message.js'
import { emptyStreamInfo } from './new-stream-info.js'
import { applyProxyStatus, type ProxyStatusConfig } from './proxy-status.js'

const ALL: ProxyStatusConfig = { details: true, flags: true, recommendedStatus: false }

function told(
  flags: readonly string[],
  config: ProxyStatusConfig = ALL,
  { status = 503, details = 'why', before = [] }: { status?: number; details?: string; before?: readonly string[] } = {},
): [number, string | undefined] {
  const info = Object.assign(emptyStreamInfo(), { details })
  for (const flag of flags) info.flags.add(flag)
  const response: HttpResponse = {
    status,
    headers: createHeaderMap(before.map((value) => ['proxy-status', value])),
    body: emptyBody,
  }
  applyProxyStatus(response, info, config, 'me')
  return [response.status, response.headers.get('proxy-status')]
}

// As stock Envoy 1.40 answers.
it.each([
  [['UF'], 'connection_refused'],
  [['URX', 'UF'], 'connection_refused'],
  [['UH'], 'destination_unavailable'],
  [['UT'], 'http_response_timeout'],
  [['UC'], 'connection_terminated'],
  [['NR'], 'destination_not_found'],
  [['NC'], 'destination_unavailable'],
  [['FI'], 'http_request_error'],
])('%j is %s', (flags, error) => {
  expect(told(flags)).toEqual([503, `me; error=${error}; details="why; ${flags.join(',')}"`])
})

it('says nothing where nothing went wrong, or what did has no word', () => {
  expect(told([])).toEqual([503, undefined])
  expect(told(['DI'])).toEqual([503, undefined])
})

it('comes after what proxies behind it said', () => {
  expect(told(['UT'], { ...ALL, details: false }, { before: ['a; error=x', 'b'] })).toEqual([
    503,
    'a; error=x, b, me; error=http_response_timeout',
  ])
})

it('leaves out what it is told to, and keeps quotes within the text', () => {
  expect(told(['UT'], { ...ALL, flags: false })[1]).toBe('me; error=http_response_timeout; details="why"')
  expect(told(['UT'], { ...ALL, details: false })[1]).toBe('me; error=http_response_timeout')
  expect(told(['UT'], { ...ALL, flags: false }, { details: 'a "b"\r\nc \\' })[1]).toBe(
    'me; error=http_response_timeout; details="a_\\"b\\"__c_\\\\"',
  )
})

it.each([
  ['UF', 502],
  ['UC', 502],
  ['NR', 500],
  ['UT', 504],
  ['UO', 503],
  ['FI', 418],
])('%s has the status that RFC 9209 recommends: %d', (flag, status) => {
  expect(told([flag], { ...ALL, recommendedStatus: true }, { status: 418 })[0]).toBe(status)
})
