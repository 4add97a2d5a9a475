import { CheckRequest, CheckResponse } from '@heddle/xds-types/envoy/service/auth/v3'
import { describe, expect, it } from 'vitest'
import { bodyOf, readBody } from '../../http/body.js'
import type { HttpStream } from '../../http/filter.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { LocalReply } from '../../http/message.js'
import type { GrpcAnswer, GrpcCallOptions, GrpcClient } from '../../upstream/grpc-client.js'
import type { HttpAnswer, HttpCallOptions, HttpClient, HttpFailure } from '../../upstream/http-client.js'
import { extAuthzFilter } from './ext-authz.js'
import { configured, deps, logger, must, response, run, stream } from './testing.js'

const over = (rest: object = {}, service: object = {}): object => ({
  http_service: { server_uri: { uri: 'http://authz', cluster: 'auth', timeout: '1s' }, ...service },
  ...rest,
})
const names = (...list: string[]): object => ({ patterns: list.map((exact) => ({ exact })) })

function httpService(...answers: ((Partial<HttpAnswer> & { set?: [string, string][] }) | HttpFailure)[]): HttpClient & {
  asked: HttpCallOptions[]
  cancelled: number
} {
  const service = {
    asked: [] as HttpCallOptions[],
    cancelled: 0,
    call(options: HttpCallOptions) {
      service.asked.push(options)
      const answer = answers.shift() ?? {}
      const whole =
        'failure' in answer
          ? answer
          : { status: 200, body: Buffer.alloc(0), headers: createHeaderMap('set' in answer ? answer.set : []), ...answer }
      return { done: Promise.resolve(whole as HttpAnswer | HttpFailure), cancel: () => void service.cancelled++ }
    },
  }
  return service
}

async function ask(config: object, http: HttpClient, asked: HttpStream = stream()): Promise<LocalReply | undefined> {
  return (await run(configured(extAuthzFilter, config, deps({ http })), asked)) ?? undefined
}

describe('over HTTP', () => {
  it('asks with the request s own line and the headers that are allowed', async () => {
    const http = httpService({})
    const headers = { authorization: 'Basic x', 'x-a': '1', 'x-b': '2', 'x-envoy-auth-partial-body': 'false' }
    const config = over({ allowed_headers: names('x-a', 'x-b'), disallowed_headers: names('x-b') }, { path_prefix: '/check' })
    await ask(config, http, stream({ headers, path: '/p?q', method: 'HEAD' }))
    expect(http.asked).toMatchObject([
      { cluster: 'auth', method: 'HEAD', authority: 'apps', path: '/check/p?q', timeoutMs: 1000 },
    ])
    expect([...http.asked[0]!.headers!]).toEqual([
      ['authorization', 'Basic x'],
      ['x-a', '1'],
      ['content-length', '0'],
    ])
  })

  it('200 lets it pass, with the headers that are allowed upstream and to the client', async () => {
    const set: [string, string][] = [
      ['x-user', 'joe'],
      ['x-more', 'theirs'],
      ['x-absent', '1'],
      ['x-other', 'no'],
      ['x-ok', 'yes'],
      ['x-envoy-auth-headers-to-remove', 'X-Drop, host'],
    ]
    const config = over(
      {},
      {
        authorization_response: {
          allowed_upstream_headers: names('x-user'),
          allowed_upstream_headers_to_append: names('x-more', 'x-absent'),
          allowed_client_headers_on_success: names('x-ok'),
          dynamic_metadata_from_headers: names('x-user'),
        },
      },
    )
    const asked = stream({ headers: { 'x-user': 'spoof', 'x-more': 'mine', 'x-drop': '1' } })
    const filter = configured(extAuthzFilter, config, deps({ http: httpService({ set }) }))(asked)
    expect(await filter.onRequest!(asked.request, asked)).toBeUndefined()
    expect([...asked.request.headers]).toEqual([
      ['x-user', 'joe'],
      ['x-more', 'mine'],
      ['x-more', 'theirs'],
      ['x-absent', '1'],
    ])
    expect(asked.info.metadata.get('envoy.filters.http.ext_authz')).toEqual({ 'x-user': 'joe', ext_authz_duration: 0 })
    const answer = response()
    await filter.onResponse!(answer, asked)
    expect([...answer.headers]).toEqual([['x-ok', 'yes']])
  })

  it('another status is the answer; without a list all its headers go along, but those of the connection', async () => {
    const set: [string, string][] = [
      ['x-a', '1'],
      ['content-length', '2'],
      ['content-type', 'text/x'],
    ]
    const denied = { status: 401, set, body: Buffer.from('no') }
    expect(await ask(over(), httpService(denied))).toEqual({
      status: 401,
      body: 'no',
      details: 'ext_authz_denied',
      flag: 'UAEX',
      headers: [
        ['x-a', '1'],
        ['content-type', 'text/x'],
        ['x-envoy-upstream-service-time', '0'],
      ],
    })
    const listed = over({}, { authorization_response: { allowed_client_headers: names('x-b') } })
    expect(
      (
        await ask(
          listed,
          httpService({
            status: 302,
            set: [
              ['location', '/'],
              ['x-a', '1'],
            ],
          }),
        )
      )?.headers,
    ).toEqual([['location', '/']])
  })

  it.each<[string, Partial<HttpAnswer> | HttpFailure]>([
    ['5xx', { status: 503 }],
    ['no answer', { failure: 'down' }],
  ])('%s is no decision: closed, unless it says open', async (_, answer) => {
    const closed = { status: 403, body: '', details: 'ext_authz_error', flag: 'UAEX' }
    expect(await ask(over(), httpService(answer))).toEqual(closed)
    expect(await ask(over({ status_on_error: { code: 'BadGateway' } }), httpService(answer))).toEqual({ ...closed, status: 502 })
    const asked = stream()
    const open = over({ failure_mode_allow: true, failure_mode_allow_header_add: true })
    expect(await ask(open, httpService(answer), asked)).toBeUndefined()
    expect(asked.request.headers.get('x-envoy-auth-failure-mode-allowed')).toBe('true')
    expect(JSON.stringify(logger.entries)).toContain('no decision')
  })

  it('a header that would split the message is refused', async () => {
    const service = { authorization_response: { allowed_upstream_headers: names('x-a') } }
    const bad = (): HttpClient => httpService({ set: [['x-a', 'a\r\nx-b: c']] })
    expect(await ask(over({ validate_mutations: true }, service), bad())).toMatchObject({ status: 500 })
    const details = 'filter_removed_required_request_headers{invalid_header_value_for:_x-a}'
    expect(await ask(over({}, service), bad())).toMatchObject({ status: 503, details, flag: 'DPE' })
  })

  it('a part of the body goes along, and the request keeps the whole', async () => {
    const http = httpService({})
    const asked = stream({ method: 'POST' })
    asked.request.body = bodyOf('much longer')
    await ask(over({ with_request_body: { max_request_bytes: 4, allow_partial_message: true } }), http, asked)
    expect(Buffer.from(http.asked[0]!.body!).toString()).toBe('much')
    expect([...http.asked[0]!.headers!]).toContainEqual(['x-envoy-auth-partial-body', 'true'])
    expect(Buffer.from(await readBody(asked.request.body, 100)).toString()).toBe('much longer')
    asked.request.body = bodyOf('much longer')
    expect(await ask(over({ with_request_body: { max_request_bytes: 4 } }), http, asked)).toMatchObject({
      status: 413,
      closes: true,
    })
  })

  it('CVE-2026-26311: a client that goes away takes the question with it', () => {
    const http = httpService()
    const asked = stream()
    const filter = configured(extAuthzFilter, over(), deps({ http }))(asked)
    void filter.onRequest!(asked.request, asked)
    filter.onComplete!(asked.info)
    expect(http.cancelled).toBe(1)
  })
})

describe('when it asks', () => {
  const marked = over({
    filter_enabled_metadata: {
      filter: 'envoy.filters.http.rbac',
      path: [{ key: 'id' }],
      value: { string_match: { prefix: 'istio-ext-authz' } },
    },
  })
  it('only about what is marked', async () => {
    const http = httpService({ status: 403 }, { status: 403 })
    expect(await ask(marked, http)).toBeUndefined()
    const asked = stream()
    asked.info.metadata.set('envoy.filters.http.rbac', { id: 'istio-ext-authz-x' })
    expect(await ask(marked, http, asked)).toMatchObject({ status: 403 })
  })

  it('not where the route says no, and deny_at_disable refuses what is not asked about', async () => {
    const perRoute = must(extAuthzFilter.decodePerRoute!({ disabled: true }, ''))
    expect(await ask(over(), httpService({ status: 403 }), stream({ perRoute }))).toBeUndefined()
    const off = { filter_enabled: { default_value: { numerator: 0 } } }
    expect(await ask(over(off), httpService())).toBeUndefined()
    expect(await ask(over({ ...off, deny_at_disable: { default_value: true } }), httpService())).toMatchObject({ status: 403 })
  })
})

describe('over gRPC', () => {
  const config = { grpc_service: { envoy_grpc: { cluster_name: 'auth' }, timeout: '0.3s' }, include_peer_certificate: true }
  function grpcService(answer: Partial<GrpcAnswer> & { json?: object }): {
    asked: [GrpcCallOptions, CheckRequest][]
    grpc(): GrpcClient
  } {
    const asked: [GrpcCallOptions, CheckRequest][] = []
    const message = answer.json && CheckResponse.encode(must(CheckResponse.fromJson(answer.json)))
    const grpc = (): GrpcClient =>
      ({
        call(options: GrpcCallOptions, bytes: Uint8Array) {
          asked.push([options, must(CheckRequest.decode(bytes))])
          return { done: Promise.resolve({ code: 0, message: '', ...answer, response: message }), cancel() {} }
        },
      }) as unknown as GrpcClient
    return { asked, grpc }
  }
  const check = (grpc: () => GrpcClient, asked: HttpStream): unknown =>
    run(configured(extAuthzFilter, config, deps({ grpc })), asked)

  it('tells who asks for what; CVE-2021-32777, CVE-2023-27488: all lines of a header, as UTF-8', async () => {
    const service = grpcService({ json: {} })
    const tls = { peerVerified: true, peerUris: ['spiffe://td/ns/a/sa/b'], localUris: ['spiffe://td/ns/c/sa/d'] }
    const asked = stream({ path: '/a?b', headers: { 'x-bad': '\xff' }, tls })
    asked.info.startTime = 0
    asked.request.headers.append('x-bad', 'two')
    const perRoute = must(extAuthzFilter.decodePerRoute!({ check_settings: { context_extensions: { k: 'v' } } }, ''))
    expect(await check(service.grpc, { ...asked, perRouteConfig: () => perRoute } as HttpStream)).toBeUndefined()
    const [[options, request]] = service.asked as [[GrpcCallOptions, CheckRequest]]
    expect(options).toMatchObject({ path: '/envoy.service.auth.v3.Authorization/Check', timeoutMs: 300 })
    expect(request.attributes).toMatchObject({
      source: { principal: 'spiffe://td/ns/a/sa/b', address: { socket_address: { address: '10.0.0.9', port_value: 1234 } } },
      destination: { principal: 'spiffe://td/ns/c/sa/d' },
      request: { http: { method: 'GET', path: '/a?b', headers: { ':authority': 'apps', 'x-bad': '\ufffd,two' } } },
      context_extensions: { k: 'v' },
    })
  })

  it('edits what it lets pass', async () => {
    const header = (key: string, value: string, append?: boolean): object => ({
      header: { key, value },
      ...(append !== undefined && { append }),
    })
    const json = {
      ok_response: {
        headers: [header('x-set', 'new'), header('x-add', '2', true)],
        headers_to_remove: ['X-Drop', 'host'],
        query_parameters_to_set: [{ key: 'a', value: '2' }],
        query_parameters_to_remove: ['b'],
      },
      dynamic_metadata: { who: 'joe' },
    }
    const asked = stream({ path: '/x?a=1&b=1&c', headers: { 'x-set': 'old', 'x-add': '1', 'x-drop': '1' } })
    asked.info.startTime = 0
    expect(await check(grpcService({ json }).grpc, asked)).toBeUndefined()
    expect([...asked.request.headers]).toEqual([
      ['x-set', 'new'],
      ['x-add', '1,2'],
    ])
    expect(asked.request.path).toBe('/x?c&a=2')
    expect(asked.info.metadata.get('envoy.filters.http.ext_authz')).toEqual({ who: 'joe', ext_authz_duration: 0 })
  })

  const edit = (rest: object, key = 'x-a'): object => ({ header: { key, value: 'n' }, ...rest })
  const ONLY_OVER = { append_action: 'OVERWRITE_IF_EXISTS' }

  it.each<[string, object, string[]]>([
    ['append', edit({ append: true }), ['1,n', '2']],
    ['append to a cookie', edit({ append: true }, 'cookie'), ['c=1; n']],
    ['append what is not there', edit({ append: true }, 'x-b'), ['n']],
    ['append: false', edit({ append: false }), ['n']],
    ['no append', edit({}), ['n']],
    ['an action for one that is there', edit({ append_action: 'ADD_IF_ABSENT' }), ['n']],
    ['an action for one that is not', edit(ONLY_OVER, 'x-b'), ['n']],
  ])('request headers know no append_action: %s', async (_, header, want) => {
    const asked = stream({ headers: { 'x-a': '1', cookie: 'c=1' } })
    asked.request.headers.append('x-a', '2')
    expect(await check(grpcService({ json: { ok_response: { headers: [header] } } }).grpc, asked)).toBeUndefined()
    const { key } = (header as { header: { key: string } }).header
    expect(asked.request.headers.getAll(key)).toEqual(want)
  })

  it.each<[string, object, string[]]>([
    ['nothing', edit({}), ['1', 'n']],
    ['append', edit({ append: true }), ['1', 'n']],
    ['append: false', edit({ append: false }), ['n']],
    ['only over one', edit(ONLY_OVER, 'x-b'), []],
    ['only where none is', edit({ append_action: 'ADD_IF_ABSENT' }), ['1']],
  ])('response headers are added, unless they say otherwise: %s', async (_, header, want) => {
    const json = { ok_response: { response_headers_to_add: [header] } }
    const asked = stream()
    const filter = configured(extAuthzFilter, config, deps({ grpc: grpcService({ json }).grpc }))(asked)
    expect(await filter.onRequest!(asked.request, asked)).toBeUndefined()
    const answer = response()
    answer.headers.append('x-a', '1')
    await filter.onResponse!(answer, asked)
    const { key } = (header as { header: { key: string } }).header
    expect(answer.headers.getAll(key)).toEqual(want)
  })

  it('denies with the status it is told, 403 by default; a failed call is no decision', async () => {
    const asked = stream()
    asked.info.startTime = 0
    const headers = [edit({}), edit({ append: true }, 'x-b')]
    const denied = { status: { code: 7 }, denied_response: { status: { code: 'TooManyRequests' }, body: 'later', headers } }
    const told = { status: 429, body: 'later', flag: 'UAEX', headers: [['x-a', 'n']] }
    expect(await check(grpcService({ json: denied }).grpc, asked)).toMatchObject(told)
    expect(await check(grpcService({ json: { status: { code: 16 } } }).grpc, asked)).toMatchObject({
      status: 403,
      details: 'ext_authz_denied',
    })
    expect(await check(grpcService({ code: 14 }).grpc, asked)).toMatchObject({ status: 403, details: 'ext_authz_error' })
  })
})

it('what is not there is a NACK that names it', () => {
  const decode = (config: object): unknown => extAuthzFilter.decode(config as Record<string, unknown>, 'c').diagnostics
  expect(decode({})).toMatchObject([{ message: 'needs one of grpc_service, http_service.' }])
  expect(decode(over({ shadow_mode: true }))).toMatchObject([{ path: 'c.shadow_mode' }])
})
