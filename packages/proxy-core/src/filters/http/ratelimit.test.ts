import { RateLimitRequest, RateLimitResponse } from '@heddle/xds-types/envoy/service/ratelimit/v3'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../../config/fields.js'
import { compileRateLimits } from '../../config/rate-limit-actions.js'
import type { HttpStream } from '../../http/filter.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { GrpcClient } from '../../upstream/grpc-client.js'
import { rateLimitFilter } from './ratelimit.js'
import { configured, deps, must, response, type StreamOptions, stream } from './testing.js'

const service = { rate_limit_service: { grpc_service: { envoy_grpc: { cluster_name: 'rls' } } } }

/** A service that always says the same, and remembers what it was asked. */
function fakeService(answer: RateLimitResponse | number) {
  const asked: RateLimitRequest[] = []
  const call: GrpcClient['call'] = ({ timeoutMs }, bytes) => {
    expect(timeoutMs).toBe(20)
    asked.push(must(RateLimitRequest.decode(bytes)))
    const trailers = createHeaderMap()
    const done =
      typeof answer === 'number'
        ? { code: answer, message: '', trailers }
        : { code: 0, message: '', trailers, response: RateLimitResponse.encode(answer) }
    return { done: Promise.resolve(done), cancel() {} }
  }
  return { asked, grpc: () => ({ call }) as GrpcClient }
}

const rules = (json: object[]) =>
  must(compileMessage({ list: json }, 'r', (fields) => compileRateLimits(fields.messages('list') as never)))

function routed(options: StreamOptions, own: object[], ofHost: object[] = []): HttpStream {
  return {
    ...stream(options),
    route: {
      kind: 'forward',
      target: { cluster: 'web' },
      route: { action: { kind: 'forward', rateLimits: rules(own) }, perFilterConfig: new Map() },
      virtualHost: { rateLimits: rules(ofHost) },
    },
  } as unknown as HttpStream
}

const key = (value: string) => ({ actions: [{ generic_key: { descriptor_value: value } }] })

async function asked(config: object, on: HttpStream, answer: RateLimitResponse | number = { overall_code: 'OK' }) {
  const fake = fakeService(answer)
  const filter = configured(rateLimitFilter, { domain: 'd', ...service, ...config }, deps({ grpc: fake.grpc }))(on)
  const reply = await filter.onRequest!(on.request, on)
  const answered = response()
  void filter.onResponse!(answered, on)
  return { reply, headers: Object.fromEntries(answered.headers), values: fake.asked.flatMap(valuesOf) }
}

const valuesOf = ({ descriptors = [] }: RateLimitRequest): string[] =>
  descriptors.map(({ entries = [] }) => entries.map(({ key, value }) => `${key}=${value}`).join(','))

describe('descriptors', () => {
  it.each<[object, string[]]>([
    [{ source_cluster: {} }, ['source_cluster=apps']],
    [{ destination_cluster: {} }, ['destination_cluster=web']],
    [{ remote_address: {} }, ['remote_address=10.0.0.9']],
    [{ masked_remote_address: { v4_prefix_mask_len: 8 } }, ['masked_remote_address=10.0.0.0/8']],
    [{ request_headers: { header_name: 'X-User', descriptor_key: 'user' } }, ['user=ann']],
    [{ request_headers: { header_name: 'absent', descriptor_key: 'user' } }, []],
    [{ query_parameters: { query_parameter_name: 'q', descriptor_key: 'q' } }, ['q=1']],
    [{ header_value_match: { descriptor_value: 'v', headers: [{ name: 'x-user', present_match: true }] } }, ['header_match=v']],
    [
      { header_value_match: { descriptor_value: 'v', expect_match: false, headers: [{ name: 'x-user', present_match: true }] } },
      [],
    ],
    [
      {
        remote_address_match: {
          descriptor_value: 'in',
          address_matcher: { ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
        },
      },
      ['remote_address_match=in'],
    ],
    [{ metadata: { descriptor_key: 'm', default_value: 'none', metadata_key: { key: 'ns', path: [{ key: 'x' }] } } }, ['m=none']],
  ])('%j: %j', async (action, want) => {
    const on = routed({ headers: { 'x-user': 'ann' }, path: '/?q=1' }, [{ actions: [action] }])
    expect((await asked({}, on)).values).toEqual(want)
  })

  it('of the route; of its virtual host only without, or beside it', async () => {
    const include = must(rateLimitFilter.decodePerRoute!({ vh_rate_limits: 'INCLUDE' }, ''))
    const ignore = must(rateLimitFilter.decodePerRoute!({ vh_rate_limits: 'IGNORE' }, ''))
    expect((await asked({}, routed({}, [key('own')], [key('host')]))).values).toEqual(['generic_key=own'])
    expect((await asked({}, routed({}, [], [key('host')]))).values).toEqual(['generic_key=host'])
    expect((await asked({}, routed({ perRoute: include }, [key('own')], [key('host')]))).values).toHaveLength(2)
    expect((await asked({}, routed({ perRoute: ignore }, [], [key('host')]))).values).toEqual([])
  })

  it('a header that is no UTF-8 makes no invalid message (CVE-2023-27488)', async () => {
    const on = routed({ headers: { 'x-user': 'caf\xe9\xff' } }, [
      { actions: [{ request_headers: { header_name: 'x-user', descriptor_key: 'user' } }] },
    ])
    expect((await asked({}, on)).values).toEqual(['user=caf\xe9\xff'])
  })
})

describe('verdicts', () => {
  const on = () => routed({}, [key('k')])
  const over: RateLimitResponse = { overall_code: 'OVER_LIMIT', raw_body: Buffer.from('slow down').toString('base64') }

  it('over the limit: 429, with the body of the service', async () => {
    const { reply, headers } = await asked({}, on(), over)
    expect(reply).toMatchObject({ status: 429, body: 'slow down', details: 'request_rate_limited', flag: 'RL' })
    expect(headers).toEqual({ 'x-envoy-ratelimited': 'true' })
  })

  it('in the shadow it passes; disabled nobody is asked', async () => {
    const never = { default_value: { numerator: 0 } }
    expect((await asked({ filter_enforced: never }, on(), over)).reply).toBeUndefined()
    expect((await asked({ filter_enabled: never }, on(), over)).values).toEqual([])
  })

  it('an error passes, or refuses with failure_mode_deny', async () => {
    expect((await asked({}, on(), 14)).reply).toBeUndefined()
    expect((await asked({ failure_mode_deny: true }, on(), 14)).reply).toMatchObject({ status: 500, flag: 'RLSE' })
  })
})

it('names what is missing', () => {
  const paths = rateLimitFilter.decode({}, 'c').diagnostics.map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining(['c.domain', 'c.rate_limit_service']))
})
